package ledgertest

import (
	"context"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
)

// KeepIn makes the archive of an empty directory, for Prune.
func (w *Writer) KeepIn(fs journal.FS) {
	var err error
	w.Archive, err = journal.Open(journal.Config{FS: fs, SegmentSize: journal.MinSegmentSize}, nil)
	must(err)
	w.kept = make(map[uint64]uint64)
}

// carry appends the LogBlocks before an offset to the archive, those that it has not got.
func (w *Writer) carry(before journal.Offset) {
	must(w.Journal.Scan(w.Journal.First(), before, func(f journal.Frame) error {
		if f.Type != ledger.TypeBlock && f.Type != ledger.TypeAdopt {
			return nil
		}
		b, err := ledger.ParseBlock(f.Payload)
		must(err)
		if b.Height <= w.kept[b.App] {
			return nil
		}
		if w.kept[b.App] == 0 {
			named := w.apps[b.App-1].App
			w.keep(ledger.TypeApp, &named)
		}
		w.kept[b.App] = b.Height
		b.From = 0
		w.keep(ledger.TypeBlock, &b)
		return nil
	}))
	must(w.Archive.Flush(context.Background()))
}

// keep writes a record to the archive.
func (w *Writer) keep(typ byte, record any) {
	if w.AlterKept != nil && !w.AlterKept(record) {
		return
	}
	var payload []byte
	switch r := record.(type) {
	case *ledger.App:
		payload = ledger.AppendApp(nil, r)
	case *ledger.Block:
		var err error
		payload, err = ledger.AppendBlock(nil, r)
		must(err)
	}
	_, _, err := w.Archive.Append(typ, payload)
	must(err)
}
