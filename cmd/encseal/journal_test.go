package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/ledger/ledgertest"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// mkjournal DIR PEM [-alter TYPE] [-prune N] [-cut] [SCHEME:]FILE=COUNT,... makes a data directory of the receipts of files,
// each those of one app, sealed by the key in LogBlocks of the counts; what is left is pending. With -cut the last
// LogBlock of each app is not signed. With -prune all segments but the present one go after
// LogBlock N of an app. With -alter one thing of each app's LogBlock 2 is not what it should be: leaf, root or sig.
func mkjournal(ts *testscript.TestScript, neg bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	fs, err := journal.Dir(dir)
	ts.Check(err)
	signer, err := sign.ReadKeyFile(ts.MkAbs(args[1]))
	ts.Check(err)
	w := ledgertest.Open(fs, signer)
	defer w.Close()
	if slices.Contains(args, "-prune") {
		kept, err := journal.Dir(filepath.Join(dir, engine.PrunedDir))
		ts.Check(err)
		w.KeepIn(kept)
	}
	prune, cut := "", false
	for args = args[2:]; len(args) > 0; args = args[1:] {
		switch args[0] {
		case "-prune":
			prune = args[1]
			args = args[1:]
		case "-cut":
			cut = true
		case "-alter":
			alter(w, args[1])
			args = args[1:]
		default:
			mkapp(ts, w, args[0], prune, cut)
		}
	}
}

func alter(w *ledgertest.Writer, what string) {
	w.Alter = func(_ int, typ byte, record any) {
		switch r := record.(type) {
		case *ledgertest.Leaves:
			if what == "leaf" && r.First <= 107 && r.First+uint64(len(r.Leaves)) > 107 {
				r.Leaves[0] = r.Leaves[0][1:]
			}
		case *ledger.Block:
			switch {
			case r.Height != 2:
			case what == "root" && typ == ledger.TypeCut:
				r.MerkleRoot[0]++
			case what == "sig" && typ == ledger.TypeBlock:
				r.Sig[0]++
			}
		}
	}
}

func mkapp(ts *testscript.TestScript, w *ledgertest.Writer, arg, prune string, cut bool) {
	scheme := logblock.EncSeal1
	if rest, ok := strings.CutPrefix(arg, "bpi-1:"); ok {
		scheme, arg = logblock.BPI1, rest
	}
	file, counts, _ := strings.Cut(arg, "=")
	var leaves [][]byte
	var parser receipt.Parser
	var r receipt.Receipt
	for line := range strings.Lines(ts.ReadFile(file)) {
		ts.Check(parser.Parse([]byte(line), &r))
		leaf, err := r.AppendCanonical(nil)
		if scheme == logblock.BPI1 {
			leaf, err = bpi1.Rules{}.AppendLeaf(nil, &r)
		}
		ts.Check(err)
		leaves = append(leaves, leaf)
	}
	a := w.App(scheme, r.App)
	all := strings.Split(counts, ",")
	for i, text := range all {
		n, err := strconv.Atoi(text)
		ts.Check(err)
		if cut && i == len(all)-1 {
			writeLeaves(w, a, leaves[:n])
			w.Cut(a, n)
		} else {
			w.Block(a, 7, leaves[:n]...)
		}
		leaves = leaves[n:]
		if strconv.Itoa(i+1) == prune {
			w.Prune()
		}
	}
	writeLeaves(w, a, leaves)
}

func writeLeaves(w *ledgertest.Writer, a *ledgertest.App, leaves [][]byte) {
	for len(leaves) > 0 {
		n := min(7, len(leaves))
		w.Leaves(a, leaves[:n]...)
		leaves = leaves[n:]
	}
}
