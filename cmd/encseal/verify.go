package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/encseal/encseal/engine/logblock"
)

type verifyCmd struct {
	Pub         string   `required:"" placeholder:"KEY" help:"The notary's public key that you trust: ed25519:HEX or a PEM file."`
	Blocks      string   `required:"" placeholder:"FILE" help:"LogBlocks of one app, in order of height; - is standard input."`
	Receipts    string   `placeholder:"FILE" help:"The receipts that they seal, all of them in order; - is standard input."`
	App         string   `placeholder:"APP" help:"App that the LogBlocks must be of; without it, the first one's."`
	Scheme      string   `enum:"encseal-1,bpi-1" default:"encseal-1" placeholder:"SCHEME" help:"encseal-1 (default), or bpi-1, the original pipeline's rules."`
	Head        []string `sep:"none" placeholder:"HEIGHT:blake3:HEX" help:"A LogBlock that must be among them: what an earlier check said to keep. Repeatable."`
	After       string   `placeholder:"HEIGHT:blake3:HEX" help:"The LogBlock before the first, for a part of a log; --pub is then the key for what follows it."`
	ProducerKey []string `sep:"none" placeholder:"KEY" help:"A producer whose chain the receipts must follow: ed25519:HEX, or a PEM file; in mid-chain with @blake3:HEX, the hash of its last receipt before. Repeatable."`
	JSON        bool     `name:"json" help:"Print one JSON object instead of text."`
}

func (*verifyCmd) Help() string {
	return `
Reads every byte of a log and says if it holds: each LogBlock signed by the key that you trust (or by one that it handed over
to), every height there, each linked to the one before. With --receipts their roots, ranges and totals are computed anew, so that
a receipt that is missing, altered, extra or out of order shows. With --producer-key each receipt's own hash, signature and place
in its producer's chain are checked too.

A log alone cannot show that its last LogBlocks were dropped. Keep the head that the last line prints, and give it to --head the
next time.

What does not hold ends it with 1, and is named by its first place: FILE:LINE: block, receipt: field: reason.

Examples:

	encseal verify --pub ed25519:… --blocks blocks.ndjson
	encseal verify --pub notary.pem --blocks blocks.ndjson --receipts receipts.ndjson --head 3:blake3:…
`
}

func (c *verifyCmd) Run(con *console) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	warnWeak(con, c.Scheme)
	if c.Scheme == logblock.BPI1 && c.After != "" {
		con.say("--after: scheme bpi-1 does not link LogBlocks, so that only its height counts here: its hash means nothing and is not checked")
	}
	blocks, err := con.open(c.Blocks, "LogBlocks")
	if err != nil {
		return err
	}
	defer blocks.Close()
	inputs := []*input{blocks}
	var receipts io.Reader
	if c.Receipts != "" {
		in, err := con.open(c.Receipts, "receipts")
		if err != nil {
			return err
		}
		defer in.Close()
		receipts = in
		inputs = append(inputs, in)
	}
	result, err := logblock.Verify(cfg, blocks, receipts)
	v := &outcome{cmd: c, result: result}
	if err != nil {
		bad, ok := errors.AsType[*logblock.CheckError](err)
		if !ok {
			return verifyFailed(err, inputs)
		}
		v.bad = bad
	}
	if c.JSON {
		err = con.print(v.json())
	} else {
		err = con.print(v.text())
	}
	if err == nil && v.bad != nil {
		return &exitError{code: exitRefused}
	}
	return err
}

// config makes the checker's configuration of the flags.
func (c *verifyCmd) config() (logblock.CheckerConfig, error) {
	cfg := logblock.CheckerConfig{Scheme: c.Scheme, Legacy: legacy(c.Scheme)}
	if err := bothStdin(c.Blocks, c.Receipts); err != nil {
		return cfg, err
	}
	var err error
	if cfg.Key, err = publicKey("--pub", c.Pub); err != nil {
		return cfg, err
	}
	if err := checkApp(c.App); err != nil {
		return cfg, err
	}
	cfg.App = c.App
	if cfg.Heads, err = parseHeads(c.Head); err != nil {
		return cfg, err
	}
	if c.After != "" {
		after, err := logblock.ParseHead(c.After)
		if err != nil {
			return cfg, usage("--after %s: %s", c.After, detail(err))
		}
		cfg.After = &after
	}
	if len(c.ProducerKey) == 0 {
		return cfg, nil
	}
	if c.Receipts == "" {
		return cfg, usage("--producer-key needs --receipts: LogBlocks alone name no producer")
	}
	producers, err := producerKeys(c.ProducerKey)
	if err != nil {
		return cfg, err
	}
	if cfg.Producers, err = logblock.NewProducers(producers, cfg.Legacy); err != nil {
		return cfg, usage("--producer-key: %w", err)
	}
	return cfg, nil
}

// verifyFailed tells flags that contradict each other from a file that could not be read, and names that.
func verifyFailed(err error, inputs []*input) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		for _, in := range inputs {
			if in.file.Name() == path.Path {
				return in.unreadable(err)
			}
		}
	}
	return wrongFlags(err)
}

// file is the name of a file that the checker calls blocks or receipts.
func (c *verifyCmd) file(name string) string {
	if name == logblock.ReceiptsFile {
		name = c.Receipts
	} else {
		name = c.Blocks
	}
	if name == "-" {
		return "<stdin>"
	}
	return name
}

// text is the verdict for people.
func (v *outcome) text() string {
	var b strings.Builder
	if v.bad != nil {
		place := v.cmd.file(v.bad.File)
		if v.bad.Line > 0 {
			place = fmt.Sprintf("%s:%d", place, v.bad.Line)
		}
		fmt.Fprintf(&b, "NOT OK: %s: %s\n", place, v.bad.Detail())
		return b.String()
	}
	r := &v.result
	fmt.Fprintf(&b, "ok: %d LogBlocks of app %q hold, scheme %s\n", r.Blocks, r.App, v.cmd.Scheme)
	if v.cmd.Receipts != "" {
		fmt.Fprintf(&b, "receipts: %d checked\n", r.Receipts)
	} else {
		fmt.Fprintf(&b, "receipts: not checked\n")
	}
	fmt.Fprintf(&b, "producers: %s\n", v.producers())
	fmt.Fprintf(&b, "next LogBlock's key: %v\n", r.Key)
	fmt.Fprintf(&b, "head to keep: %v\n", r.Head)
	return b.String()
}
