package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/encseal/encseal/engine"
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

// checkHeadFile refuses a head file that would be put back together with the data directory.
func checkHeadFile(dir, file string) error {
	if file == "" {
		return nil
	}
	rel, err := filepath.Rel(realPath(dir), filepath.Join(realPath(filepath.Dir(file)), filepath.Base(file)))
	if err == nil && filepath.IsLocal(rel) {
		return usage("--head-file: %s is in %s: an old copy of that would hold it too", file, dir)
	}
	return nil
}

// realPath is path without symbolic links, as far as it is there.
func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// parseSize reads a number of bytes, with K, M, G or T for powers of 1024.
func parseSize(text string) (int64, error) {
	digits := strings.TrimRight(text, "KMGT")
	shift := 0
	switch text[len(digits):] {
	case "":
	case "K":
		shift = 10
	case "M":
		shift = 20
	case "G":
		shift = 30
	case "T":
		shift = 40
	default:
		digits = ""
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is no number of bytes, as 1000000, 500M or 10G", text)
	}
	return n << shift, nil
}

// flagsOfEngine gives a field of an engine's configuration the name of the flag that it came from.
var flagsOfEngine = strings.NewReplacer("Config.Signer has key", "--key is", "Config.Scheme", "--scheme")

// dirError is an error of an engine's about a data directory, with the code that ends the command.
func dirError(dir, headFile string, err error) error {
	text := strings.TrimPrefix(err.Error(), "engine: ")
	switch {
	case errors.Is(err, journal.ErrLocked):
		return fmt.Errorf("%s: in use by another process", dir)
	case errors.Is(err, engine.ErrHeadMissing) && headFile == "":
		return usage("--head-file: %s goes with one, by which an old copy of it is noticed", dir)
	case errors.Is(err, engine.ErrHeadMissing):
		return fmt.Errorf("%s: the head file of %s is missing; where that is certainly no old copy, --new-head makes it anew", headFile, dir)
	case errors.Is(err, engine.ErrRolledBack):
		return refused("%s: %s. The way on is encseal adopt, with the LogBlocks that were sealed since, from whoever received them", dir, text)
	case errors.Is(err, engine.ErrTooManyApps):
		return usage("--max-apps: %s has more", dir)
	case errors.Is(err, engine.ErrOtherJournal):
		return refused("%s: %s: %s is not what goes with it", dir, text, headFile)
	case errors.Is(err, engine.ErrForeign):
		return refused("%s: %s", dir, flagsOfEngine.Replace(text))
	}
	if bad := dirFault(err); bad != nil {
		return refused("%s: %s", dir, bad.Detail())
	}
	return fmt.Errorf("%s: %w", dir, err)
}

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
