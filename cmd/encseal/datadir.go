package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

// dataDir opens a data directory for reading. It must be there: the journal would make it.
func dataDir(path string) (journal.FS, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.ENOTDIR}
	}
	return journal.Dir(path)
}

// openLedger opens the journal of a data directory for its blocks and leaves.
func (c *console) openLedger(path string) (*ledger.Reader, error) {
	dir, err := dataDir(path)
	if err != nil {
		return nil, err
	}
	pruned, err := prunedDir(path)
	if err != nil {
		return nil, err
	}
	bar := c.newBytesBar()
	defer bar.stop()
	r, err := ledger.Open(dir, pruned, bar.moved)
	if errors.Is(err, journal.ErrEmpty) {
		return nil, noJournal(path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func noJournal(path string) error { return fmt.Errorf("%s: no journal in it", path) }

// pickApp is the app of that name, or, without a name, the only one.
func pickApp(r *ledger.Reader, dir, name string) (ledger.AppBlocks, error) {
	apps := r.Apps()
	if name == "" && len(apps) > 1 {
		return ledger.AppBlocks{}, usage("--app: %s has %d apps, and one is to be named", dir, len(apps))
	}
	for _, a := range apps {
		if name == "" || a.Name == name {
			return a, nil
		}
	}
	if name == "" {
		return ledger.AppBlocks{}, refused("%s: no app in it", dir)
	}
	return ledger.AppBlocks{}, refused("%s: no app %q in it", dir, name)
}

// readLeaf reads a leaf as a receipt. The strings of r share memory with the leaf or with p.
func readLeaf(scheme string, leaf []byte, p *receipt.Parser, r *receipt.Receipt) error {
	if scheme == logblock.BPI1 {
		return p.Parse(leaf, r)
	}
	return receipt.Decode(leaf, r)
}
