package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// TestPrunedByEngine has an Engine seal receipts and prune their segments, and reads what is left.
func TestPrunedByEngine(t *testing.T) {
	dir := t.TempDir()
	signer := sign.NewSigner(&[32]byte{7})
	cfg := engine.Config{
		Signer: signer, MaxReceipts: 50, MaxWindow: time.Hour,
		Store: engine.Store{Dir: dir, SegmentSize: journal.MinSegmentSize, RetainBytes: 1},
	}
	for range 3 {
		sealInto(t, cfg)
	}
	fs, err := dataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	check := ledger.CheckConfig{Key: signer.PublicKey()}
	r, err := checkDir(dir, fs, check)
	if err != nil {
		t.Fatal(err)
	}
	a := r.Apps[0]
	if !r.Pruned || a.Carried == 0 || a.Blocks+a.Carried != a.Sealed || a.Sealed != 18 {
		t.Errorf("got %+v, want 18 blocks, some of them carried", a)
	}
	con := &console{err: &words{Writer: new(bytes.Buffer)}}
	prefix := filepath.Join(t.TempDir(), "out")
	if err := (&exportCmd{Dir: dir, Output: prefix, BlocksOnly: true}).Run(con); err != nil {
		t.Fatal(err)
	}
	blocks, err := os.ReadFile(prefix + ".blocks.ndjson")
	if n := bytes.Count(blocks, []byte("\n")); err != nil || n != 18 {
		t.Errorf("export wrote %d LogBlocks (%v), want 18", n, err)
	}

	// Without its archive it does not hold.
	if err := os.RemoveAll(filepath.Join(dir, engine.PrunedDir)); err != nil {
		t.Fatal(err)
	}
	if _, err := checkDir(dir, fs, check); err == nil || !strings.Contains(err.Error(), "neither here nor among") {
		t.Errorf("without %s: got %v", engine.PrunedDir, err)
	}
}

// sealInto seals the receipts of the vectors.
func sealInto(t *testing.T, cfg engine.Config) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "my-app.receipts.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n, err := e.Notary("my-app")
	if err != nil {
		t.Fatal(err)
	}
	var p receipt.Parser
	for line := range bytes.Lines(text) {
		var r receipt.Receipt
		if err := p.Parse(line, &r); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Append(context.Background(), &r); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}
