package logblock

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// checkLine fails unless err names the file, the line and the place.
func checkLine(t testing.TB, err error, file string, line int64, height uint64, index int64, field, words string) {
	t.Helper()
	var own *CheckError
	if errors.As(err, &own) && (own.File != file || own.Line != line) {
		t.Errorf("got %s line %d, want %s line %d (%v)", own.File, own.Line, file, line, err)
	}
	checkPlace(t, err, height, index, field, words)
}

func TestVerifyVectors(t *testing.T) {
	for _, name := range chains {
		v := readVector(t, name)
		cfg := v.config(t)
		want, err := run(t, cfg, readBlocks(t, name, v.Scheme), nil)
		if err != nil {
			t.Fatal(err)
		}
		blocks, receipts := readFile(t, name+".blocks.ndjson"), readFile(t, name+".receipts.ndjson")
		got, err := Verify(cfg, strings.NewReader(string(blocks)), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		want.Receipts = uint64(len(readLines(t, name+".receipts.ndjson")))
		for _, cut := range []string{"", "\n"} { // the last line may end with the file
			got, err = Verify(cfg, iotest.HalfReader(strings.NewReader(strings.TrimSuffix(string(blocks), cut))),
				iotest.HalfReader(strings.NewReader(strings.TrimSuffix(string(receipts), cut))))
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

// Lines left out, repeated, exchanged and changed are named by file and line.
func TestVerifyLines(t *testing.T) {
	v := readVector(t, "encseal-1")
	cfg := v.config(t)
	blocks, receipts := readLines(t, "encseal-1.blocks.ndjson"), readLines(t, "encseal-1.receipts.ndjson")
	per, last := v.MaxReceipts, len(receipts)-1
	verify := func(blocks, receipts []string) error {
		_, err := Verify(cfg, joinLines(blocks), joinLines(receipts))
		return err
	}
	without := func(lines []string, i int) []string { return append(append([]string{}, lines[:i]...), lines[i+1:]...) }
	twice := func(lines []string, i int) []string { return append(append([]string{}, lines[:i+1]...), lines[i:]...) }
	swapped := func(lines []string, i int) []string {
		lines = append([]string{}, lines...)
		lines[i], lines[i+1] = lines[i+1], lines[i]
		return lines
	}
	changed := func(lines []string, i int, old, new string) []string {
		lines = append([]string{}, lines...)
		if !strings.Contains(lines[i], old) {
			t.Fatalf("%q is not in line %d", old, i+1)
		}
		lines[i] = strings.Replace(lines[i], old, new, 1)
		return lines
	}
	for i := range receipts {
		height, line := uint64(i/per)+1, int64(i/per)+1
		err := verify(blocks, without(receipts, i))
		if int(height) < len(blocks) {
			checkLine(t, err, BlocksFile, line, height, -1, "merkle_root", "(receipts lines ")
		} else {
			checkLine(t, err, ReceiptsFile, int64(last), height, int64(last%per), "", "missing")
		}
		err = verify(blocks, twice(receipts, i))
		switch {
		case i == last:
			checkLine(t, err, ReceiptsFile, int64(last)+2, 0, -1, "", "no block holds")
		case (i+1)%per == 0:
			checkLine(t, err, BlocksFile, line+1, height+1, -1, "merkle_root", "")
		default:
			checkLine(t, err, BlocksFile, line, height, -1, "merkle_root", "")
		}
		if i < last {
			checkLine(t, verify(blocks, swapped(receipts, i)), BlocksFile, line, height, -1, "merkle_root", "")
		}
		err = verify(blocks, changed(receipts, i, `"cpu_ms":`, `"cpu_ms":1`))
		if err == nil {
			t.Errorf("receipt %d changed: accepted", i)
		}
		err = verify(blocks, changed(receipts, i, `"op":`, `"oq":`))
		checkLine(t, err, ReceiptsFile, int64(i)+1, height, int64(i%per), "oq", "unknown")
	}
	for i := range blocks {
		line := int64(i) + 1
		if i+1 < len(blocks) {
			checkLine(t, verify(without(blocks, i), receipts), BlocksFile, line, uint64(i)+2, -1, "height", "want")
			checkLine(t, verify(swapped(blocks, i), receipts), BlocksFile, line, uint64(i)+2, -1, "height", "want")
		} else {
			// Blocks cut off at the end of a line: the receipts that are left tell.
			checkLine(t, verify(without(blocks, i), receipts), ReceiptsFile, int64(i*per)+1, 0, -1, "", "no block holds")
		}
		checkLine(t, verify(twice(blocks, i), receipts), BlocksFile, line+1, uint64(i)+1, -1, "height", "want")
		checkLine(t, verify(changed(blocks, i, `"count":`, `"count":1`), receipts), BlocksFile, line, uint64(i)+1, -1, "sig_notary", "")
		checkLine(t, verify(changed(blocks, i, `"v":1`, `"v":2`), receipts), BlocksFile, line, 0, -1, "v", "want 1")
	}
	// Blank lines count.
	spaced := append([]string{"", " \t"}, changed(receipts, 20, `"op":`, `"oq":`)...)
	checkLine(t, verify(blocks, spaced), ReceiptsFile, 23, 2, 4, "oq", "unknown")
	if err := verify(append([]string{"\r"}, blocks...), append(append([]string{}, receipts...), "", " ")); err != nil {
		t.Errorf("blank lines: %v", err)
	}
}

// A file cut at any byte of its last lines is not taken for a whole one.
func TestVerifyCutFiles(t *testing.T) {
	v := readVector(t, "my-app")
	cfg := v.config(t)
	blocks, receipts := string(readFile(t, "my-app.blocks.ndjson")), string(readFile(t, "my-app.receipts.ndjson"))
	for cut := 2; cut < 700; cut += 13 {
		_, err := Verify(cfg, strings.NewReader(blocks), strings.NewReader(receipts[:len(receipts)-cut]))
		var own *CheckError
		if !errors.As(err, &own) || own.File != ReceiptsFile || own.Height != 3 || own.Receipt < 98 {
			t.Errorf("receipts without the last %d bytes: got %v", cut, err)
		}
		_, err = Verify(cfg, strings.NewReader(blocks[:len(blocks)-cut]), strings.NewReader(receipts))
		if !errors.As(err, &own) {
			t.Errorf("blocks without the last %d bytes: got %v", cut, err)
		}
	}
}

func TestVerifyFiles(t *testing.T) {
	v := readVector(t, "my-app")
	cfg := v.config(t)
	blocks, receipts := string(readFile(t, "my-app.blocks.ndjson")), string(readFile(t, "my-app.receipts.ndjson"))

	_, err := Verify(cfg, strings.NewReader(""), nil)
	checkLine(t, err, BlocksFile, 0, 0, -1, "", "no block")
	_, err = Verify(cfg, strings.NewReader("\n\n"), strings.NewReader(receipts))
	checkPlace(t, err, 0, -1, "", "no block")
	_, err = Verify(cfg, strings.NewReader(blocks), strings.NewReader(""))
	checkLine(t, err, ReceiptsFile, 0, 1, 0, "", "missing")

	long := strings.Repeat(" ", MaxText+1)
	_, err = Verify(cfg, strings.NewReader(blocks+long+"x"), nil)
	checkLine(t, err, BlocksFile, 4, 0, -1, "", "over 1 MiB")
	_, err = Verify(cfg, strings.NewReader(blocks), strings.NewReader(long+"x\n"+receipts))
	checkLine(t, err, ReceiptsFile, 1, 1, 0, "", "over 1 MiB")
	_, err = Verify(cfg, strings.NewReader(blocks), strings.NewReader(receipts+long+"x"))
	checkLine(t, err, ReceiptsFile, 301, 0, -1, "", "no block holds")

	other := strings.Replace(receipts, `"app":"my-app"`, `"app":"other"`, 1)
	_, err = Verify(cfg, strings.NewReader(blocks), strings.NewReader(other))
	checkLine(t, err, ReceiptsFile, 1, 1, 0, "app", "other")
	if got, want := err.Error(), `logblock: receipts line 1: block 1, receipt 0: app: "other", but the block's is "my-app"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	// The other scheme is refused with a hint.
	_, err = Verify(cfg, strings.NewReader(string(readFile(t, "bpi-1.blocks.ndjson"))), nil)
	checkLine(t, err, BlocksFile, 1, 0, -1, "scheme", "bpi-1")

	// A reader that fails is no verdict.
	for _, n := range []int{0, 1, 2} {
		readers := [2]io.Reader{strings.NewReader(blocks), strings.NewReader(receipts)}
		switch n {
		case 0:
			readers[0] = io.MultiReader(strings.NewReader(blocks[:900]), iotest.ErrReader(os.ErrDeadlineExceeded))
		case 1:
			readers[1] = io.MultiReader(strings.NewReader(receipts[:900]), iotest.ErrReader(os.ErrDeadlineExceeded))
		case 2:
			readers[1] = io.MultiReader(readers[1], iotest.ErrReader(os.ErrDeadlineExceeded))
		}
		_, err := Verify(cfg, readers[0], readers[1])
		var verdict *CheckError
		if !errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &verdict) {
			t.Errorf("reader %d: got %v, want the reader's error and no verdict", n, err)
		}
	}

	// Neither is a wrong configuration.
	_, err = Verify(CheckerConfig{}, strings.NewReader(blocks), nil)
	checkField(t, err, "Key", "")

	heads := cfg
	heads.Heads = []Head{{Height: 4, Hash: [32]byte{1}}}
	_, err = Verify(heads, strings.NewReader(blocks), strings.NewReader(receipts))
	checkLine(t, err, BlocksFile, 3, 0, -1, "", "ends at height 3")
	if got, want := err.Error(), "logblock: blocks line 3: the chain ends at height 3, before the block that must be in it, "+heads.Heads[0].String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
