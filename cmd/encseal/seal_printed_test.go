package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sink"
)

// A file that a kill left with any part of a line is made whole, whatever of its LogBlocks is handed over again.
func TestPrintedCompletesTornLine(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "my-app.blocks.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	var blocks []*logblock.LogBlock
	for line := range strings.Lines(text) {
		b, err := logblock.Parse([]byte(line), logblock.EncSeal1)
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, b)
	}
	first := strings.Index(text, "\n") + 1
	dir := t.TempDir()
	for n := range len(text) {
		from := 0 // the first block that is handed over
		if n >= first {
			from = 1
		}
		for ; from >= 0; from-- {
			name := filepath.Join(dir, "blocks")
			if err := os.WriteFile(name, []byte(text[:n]), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := deliverTo(name, blocks[from:]); err != nil {
				t.Fatalf("%d bytes, from block %d: %v", n, from+1, err)
			}
			got, err := os.ReadFile(name)
			if err != nil || string(got) != text {
				t.Fatalf("%d bytes, from block %d: %v: got %q", n, from+1, err, got)
			}
		}
	}
	// What is torn is not the LogBlock that comes.
	name := filepath.Join(dir, "blocks")
	if err := os.WriteFile(name, []byte(text[:first+300]+"x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := deliverTo(name, blocks); err == nil || !strings.Contains(err.Error(), "blocks:2: the last line is cut short") {
		t.Errorf("a line that is torn from something else: got %v", err)
	}
}

func deliverTo(name string, blocks []*logblock.LogBlock) error {
	out, err := openOutput(name)
	if err != nil {
		return err
	}
	defer out.file.Close()
	s := &sealing{cmd: &sealCmd{Output: name, Scheme: logblock.EncSeal1}, out: out}
	if s.printed, err = s.readPrinted(); err != nil {
		return err
	}
	lines := sink.NewWriter(out)
	for _, b := range blocks {
		done, err := s.printed.deliver(b)
		if err == nil && !done {
			err = lines.Deliver(context.Background(), b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
