package main

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/encseal/encseal/engine/logblock"
)

// emptyError refuses an empty argument: what a shell makes of "$VARIABLE" when it is not set must not be taken for a flag
// that was not given. To the commands an empty text is one that was not given.
type emptyError struct {
	arg string // as usage has it: --flag or <positional>
}

func (e *emptyError) Error() string { return e.arg + " is empty" }

// decodeText reads every text of the command line, of flags given more than once too. It keeps the bytes as they are, where
// kong's own way replaces what is not UTF-8: a file may be named so, an app may not.
func decodeText(ctx *kong.DecodeContext, target reflect.Value) error {
	token, err := ctx.Scan.PopValue("string")
	if err != nil {
		return err
	}
	text, ok := token.Value.(string)
	if !ok {
		return fmt.Errorf("%v is not text", token.Value)
	}
	if text == "" {
		return &emptyError{argName(ctx.Value)}
	}
	target.SetString(text)
	return nil
}

func argName(v *kong.Value) string {
	if v.Flag != nil {
		return "--" + v.Name
	}
	return "<" + v.Name + ">"
}

// checkApp refuses what cannot name an app.
func checkApp(app string) error {
	if app == "" {
		return nil // not given
	}
	if field, ok := errors.AsType[*logblock.FieldError](logblock.CheckApp(app)); ok {
		return usage("--app: %s", field.Reason)
	}
	return nil
}

// parseHeads reads what --head names.
func parseHeads(texts []string) ([]logblock.Head, error) {
	var heads []logblock.Head
	for _, text := range texts {
		head, err := logblock.ParseHead(text)
		if err != nil {
			return nil, usage("--head %s: %s", text, detail(err))
		}
		heads = append(heads, head)
	}
	return heads, nil
}

// flagNames gives a field of a checker's configuration the name of the flag that it came from.
var flagNames = strings.NewReplacer("Key", "--pub", "App", "--app", "Heads", "--head", "After", "--after", "Producers", "--producer-key")

// wrongFlags makes a checker's error about its configuration one of usage, and returns every other as it came.
func wrongFlags(err error) error {
	if field, ok := errors.AsType[*logblock.FieldError](err); ok {
		return usage("%s: %s", flagNames.Replace(field.Field), field.Reason)
	}
	return err
}
