package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/encseal/encseal/engine"
)

// Beside an Engine at work the head file is never found ahead of the journal.
func TestCheckHeadBesideWriter(t *testing.T) {
	cfg := durable(t, engine.Config{MaxReceipts: 2, Store: engine.Store{Head: filepath.Join(t.TempDir(), "head")}})
	e := openEngine(t, cfg)
	n := notary(t, e, "a")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 500 {
			if _, _, err := n.AppendBatch(background, named("a", 2*i, 2)); err != nil {
				t.Error(err)
			}
		}
	}()
	for looks := 0; ; looks++ {
		if _, err := engine.CheckHead(cfg.Store); err != nil {
			t.Fatal(err)
		}
		select {
		case <-done:
		default:
			continue
		}
		break
	}
	closeEngine(t, e)
	if cuts, err := engine.CheckHead(cfg.Store); cuts != 500 || err != nil {
		t.Errorf("at the end: got %d cuts, %v, want 500", cuts, err)
	}
}

func TestCheckHeadWithoutHead(t *testing.T) {
	cfg := durable(t, engine.Config{})
	closeEngine(t, openEngine(t, cfg))
	cfg.Store.Head = filepath.Join(t.TempDir(), "below", "head")
	if _, err := engine.CheckHead(cfg.Store); !errors.Is(err, engine.ErrHeadMissing) {
		t.Errorf("no file: got %v, want ErrHeadMissing", err)
	}
	if _, err := os.Stat(filepath.Dir(cfg.Store.Head)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory was made: %v", err)
	}
	// One of another journal.
	other := durable(t, engine.Config{Store: engine.Store{Head: filepath.Join(t.TempDir(), "head")}})
	closeEngine(t, openEngine(t, other))
	cfg.Store.Head = other.Store.Head
	if _, err := engine.CheckHead(cfg.Store); !errors.Is(err, engine.ErrOtherJournal) {
		t.Errorf("another journal's: got %v, want ErrOtherJournal", err)
	}
}
