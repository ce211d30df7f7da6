package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"encseal": main})
}

// TestScripts runs each script in a directory of its own that holds a copy of the vectors in testdata and the keys that
// vectors.json names, as PEM: my-app.pem, encseal-1.pem, bpi-1.pem, edge.pem.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "dev-full":
				info, err := os.Stat("/dev/full")
				return err == nil && info.Mode()&os.ModeCharDevice != 0, nil
			case "hangup":
				return runtime.GOOS != "windows" && !signal.Ignored(syscall.SIGHUP), nil
			case "system": // every tool that a script asks for must be there
				return os.Getenv("ENCSEAL_SYSTEM") == "1", nil
			}
			return false, errors.New("unknown condition")
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"hold":      hold,
			"holdhalf":  holdhalf,
			"release":   release,
			"interrupt": interrupt,
			"stuck":     stuck,
			"edit":      edit,
			"take":      take,
			"chop":      chop,
			"join":      join,
			"mode":      mode,
			"unhex":     unhex,
			"signature": signature,
			"setkey":    setkey,
			"lastword":  lastword,
			"producer":  producer,
			"field":     field,
			"handover":  handover,
			"evidence":  evidence,
			"each":      each,
			"mkjournal": mkjournal,
			"mkinput":   mkinput,
			"begin":     begin,
			"until":     until,
			"ended":     ended,
			"killed":    killed,
			"subset":    subset,
			"mount":     mount,
		},
	})
}

func setup(env *testscript.Env) error {
	env.Values[heldKey{}] = map[string]*held{}
	env.Setenv("GORACE", "atexit_sleep_ms=0") // a second otherwise, for each of hundreds of processes
	vectors := filepath.Join(env.WorkDir, "testdata")
	if err := os.CopyFS(vectors, os.DirFS(filepath.Join("..", "..", "testdata"))); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(vectors, "vectors.json"))
	if err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for name, raw := range all {
		var v struct {
			Seed string `json:"notary_seed"`
		}
		if json.Unmarshal(raw, &v) != nil || v.Seed == "" {
			continue
		}
		seed, err := hex.DecodeString(v.Seed)
		if err != nil {
			return err
		}
		if err := sign.WriteKeyFile(filepath.Join(env.WorkDir, name+".pem"), sign.NewSigner((*[32]byte)(seed))); err != nil {
			return err
		}
	}
	return nil
}

// exits CODE PROGRAM ARG... runs a program that must end with this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	if got := exitCode(ts, ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit code: got %d, want %d", got, want)
	}
}

func exitCode(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	ts.Fatalf("%v", err)
	return -1
}

// edit FILE NEW OLD-TEXT NEW-TEXT copies FILE to NEW with the first OLD-TEXT replaced; it must be there.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[2]) {
		ts.Fatalf("%s does not hold %q", args[0], args[2])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Replace(text, args[2], args[3], 1)), 0o644))
}

// take FILE NEW LINES... copies lines of FILE to NEW, in the order given: 7, 3-9, or 2- to the end.
func take(ts *testscript.TestScript, neg bool, args []string) {
	lines := strings.SplitAfter(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n")
	lines[len(lines)-1] += "\n"
	var out strings.Builder
	for _, span := range args[2:] {
		first, last, isSpan := strings.Cut(span, "-")
		from, err := strconv.Atoi(first)
		ts.Check(err)
		to := from
		if isSpan && last == "" {
			to = len(lines)
		} else if isSpan {
			to, err = strconv.Atoi(last)
			ts.Check(err)
		}
		for _, line := range lines[from-1 : to] {
			out.WriteString(line)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(out.String()), 0o644))
}

// chop N FILE NEW copies FILE to NEW without its last N bytes.
func chop(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	text := ts.ReadFile(args[1])
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(text[:len(text)-n]), 0o644))
}

// join NEW FILE... writes files one behind the other.
func join(ts *testscript.TestScript, neg bool, args []string) {
	var text strings.Builder
	for _, file := range args[1:] {
		text.WriteString(ts.ReadFile(file))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text.String()), 0o644))
}

// mode OCTAL FILE compares the file's permissions, where the system has such.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[0] && runtime.GOOS != "windows" {
		ts.Fatalf("mode of %s: got %s, want %s", args[1], got, args[0])
	}
}

// unhex FILE LINE NEW writes the bytes that a line of hexadecimal digits stands for.
func unhex(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	data, err := hex.DecodeString(strings.Split(ts.ReadFile(args[0]), "\n")[n-1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), data, 0o644))
}

// setkey NAME PEM sets an environment variable to the public key of a key file.
func setkey(ts *testscript.TestScript, neg bool, args []string) {
	key, err := sign.ReadPublicKey(ts.MkAbs(args[1]))
	ts.Check(err)
	ts.Setenv(args[0], key.String())
}

// lastword NAME FILE sets an environment variable to the last word of a file.
func lastword(ts *testscript.TestScript, neg bool, args []string) {
	words := strings.Fields(ts.ReadFile(args[1]))
	ts.Setenv(args[0], words[len(words)-1])
}

// producer NAME WORDS KEY sets an environment variable to KEY@HEAD as a strict run printed it among its WORDS.
func producer(ts *testscript.TestScript, neg bool, args []string) {
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		if text, ok := strings.CutPrefix(line, "encseal: producer "); ok && strings.HasPrefix(text, args[2]+"@") {
			ts.Setenv(args[0], strings.TrimSpace(text))
			return
		}
	}
	ts.Fatalf("%s: no producer %s", args[1], args[2])
}

// field NAME KEY FILE sets an environment variable to the text under KEY in a JSON object.
func field(ts *testscript.TestScript, neg bool, args []string) {
	var object map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[2])), &object))
	ts.Setenv(args[0], object[args[1]].(string))
}

// signature FILE LINE NEW writes the 64 bytes of a LogBlock's sig_notary.
func signature(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	b, err := logblock.Parse([]byte(strings.Split(ts.ReadFile(args[0]), "\n")[n-1]), logblock.EncSeal1)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), b.Sig[:], 0o644))
}

// handover BLOCKS PEM NEXT appends to a file of one LogBlock a second one, signed by the same key, that hands the chain
// over to the key in NEXT.
func handover(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	b, err := logblock.Parse([]byte(text), logblock.EncSeal1)
	ts.Check(err)
	b.Prev, err = b.Hash()
	ts.Check(err)
	b.Height++
	b.NextKey, err = sign.ReadPublicKey(ts.MkAbs(args[2]))
	ts.Check(err)
	b.HasNextKey = true
	signer, err := sign.ReadKeyFile(ts.MkAbs(args[1]))
	ts.Check(err)
	digest, err := b.Hash()
	ts.Check(err)
	var sigs [1][64]byte
	ts.Check(signer.SignBatch([][32]byte{digest}, sigs[:]))
	b.Sig = sigs[0]
	line, err := b.AppendJSON([]byte(text))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), append(line, '\n'), 0o644))
}

// evidence NEW A B writes an evidence line of the LogBlocks in the files A and B.
func evidence(ts *testscript.TestScript, neg bool, args []string) {
	a, b := strings.TrimSpace(ts.ReadFile(args[1])), strings.TrimSpace(ts.ReadFile(args[2]))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(`{"v":1,"evidence":[`+a+","+b+"]}\n"), 0o644))
}

// each CODE FILE ARG... runs encseal with every line of FILE on its standard input, in a file of its own; every run must
// end with CODE.
func each(ts *testscript.TestScript, neg bool, args []string) {
	lines := strings.Split(strings.TrimSpace(ts.ReadFile(args[1])), "\n")
	for i, line := range lines {
		ts.Check(os.WriteFile(ts.MkAbs("line"), []byte(line+"\n"), 0o644))
		run := append([]string{args[0], "encseal"}, args[2:]...)
		ts.Logf("line %d", i+1)
		exits(ts, false, append(run, "line"))
	}
}
