package main

import (
	"encoding/json"

	"github.com/encseal/encseal/engine/logblock"
)

// outcome is what verify found: how far the log holds, and where it first does not.
type outcome struct {
	cmd    *verifyCmd
	result logblock.Result
	bad    *logblock.CheckError // nil where all of it holds
}

func (v *outcome) producers() string {
	if len(v.cmd.ProducerKey) == 0 {
		return "not checked"
	}
	return "checked"
}

// verdictJSON is what verify --json prints, always with these keys. Where ok is false, blocks, receipts, head and key
// tell how far the log holds.
type verdictJSON struct {
	OK        bool       `json:"ok"`
	App       *string    `json:"app"` // null where there is no block
	Scheme    string     `json:"scheme"`
	Blocks    uint64     `json:"blocks"`
	Receipts  *uint64    `json:"receipts"` // null where they were not given
	Head      *string    `json:"head"`     // null where there is none
	Key       string     `json:"key"`      // what the next LogBlock must be signed by
	Producers string     `json:"producers"`
	Error     *errorJSON `json:"error"`
}

// errorJSON says where a log first fails. What is not known of the place is null.
type errorJSON struct {
	File    string  `json:"file"`
	Line    *int64  `json:"line"`
	Height  *uint64 `json:"height"`
	Receipt *int64  `json:"receipt"` // from 0 in its LogBlock
	Field   *string `json:"field"`
	Reason  string  `json:"reason"`
}

// known is v, or null where it is the zero value.
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// json is the verdict for programs, one line.
func (v *outcome) json() string {
	out := verdictJSON{
		OK: v.bad == nil, App: known(v.result.App), Scheme: v.cmd.Scheme, Blocks: v.result.Blocks,
		Key: v.result.Key.String(), Producers: v.producers(),
	}
	if v.cmd.Receipts != "" {
		out.Receipts = &v.result.Receipts
	}
	if v.result.Head.Height > 0 {
		head := v.result.Head.String()
		out.Head = &head
	}
	if bad := v.bad; bad != nil {
		out.Error = &errorJSON{
			File: v.cmd.file(bad.File), Line: known(bad.Line), Height: known(bad.Height),
			Field: known(bad.Field), Reason: bad.Reason,
		}
		if bad.Receipt >= 0 {
			out.Error.Receipt = &bad.Receipt
		}
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err) // plain strings and integers
	}
	return string(text) + "\n"
}
