package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
)

// prunedDir opens the LogBlocks of a data directory's pruned segments; nil where there are none.
func prunedDir(path string) (journal.FS, error) {
	path = filepath.Join(path, engine.PrunedDir)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return dataDir(path)
}

// checkDir checks the journal of a data directory and the LogBlocks of its pruned segments.
func checkDir(path string, dir journal.FS, cfg ledger.CheckConfig) (ledger.Report, error) {
	for {
		pruned, err := prunedDir(path)
		if err != nil {
			return ledger.Report{}, err
		}
		if cfg.Pruned = pruned; pruned == nil {
			cfg.Pruned = noFiles{}
		}
		report, err := ledger.Check(dir, cfg)
		if pruned == nil && err != nil {
			// Where they are missing, it may be that a notary began to prune meanwhile.
			if now, _ := prunedDir(path); now != nil {
				continue
			}
		}
		return report, err
	}
}

// prunedFault is what is wrong with the LogBlocks of pruned segments; nil where err is no verdict.
func prunedFault(err *ledger.ArchiveError) *ledger.CheckError {
	found := dirFault(err.Err)
	if found == nil {
		return nil
	}
	bad := *found
	bad.Segment = engine.PrunedDir + "/" + bad.Segment
	return &bad
}

// noFiles is a directory that is not there.
type noFiles struct{}

func (noFiles) List() ([]string, error)                    { return nil, nil }
func (noFiles) Lock(string) (io.Closer, error)             { return nil, fs.ErrNotExist }
func (noFiles) Create(string, int64) (journal.File, error) { return nil, fs.ErrNotExist }
func (noFiles) Open(string, bool) (journal.File, error)    { return nil, fs.ErrNotExist }
func (noFiles) Rename(string, string) error                { return fs.ErrNotExist }
func (noFiles) Remove(string) error                        { return fs.ErrNotExist }
func (noFiles) SyncDir() error                             { return fs.ErrNotExist }
