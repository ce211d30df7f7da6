package bench

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// BenchmarkDurable takes the real receipts from memory to sealed LogBlocks, 100 receipts each, on disk; an op is one
// receipt, and MB/s are bytes of receipts' encodings. mode=append goes on in new files, mode=recycled over files that were
// written before. impl=rawdisk writes as many bytes in batches of 1 MiB past the page cache, each made durable, and does
// nothing else.
func BenchmarkDurable(b *testing.B) {
	for _, mode := range []string{"append", "recycled"} {
		b.Run("mode="+mode+"/impl=encseal", func(b *testing.B) { benchmarkDurable(b, mode) })
		b.Run("mode="+mode+"/impl=rawdisk", func(b *testing.B) { benchmarkRawDisk(b, mode) })
	}
}

const producersOfDurable = 2

func benchmarkDurable(b *testing.B, mode string) {
	all := receipts(b)
	size := int64(0)
	for _, r := range all {
		enc, err := r.AppendCanonical(nil)
		if err != nil {
			b.Fatal(err)
		}
		size += int64(len(enc))
	}
	signer, err := sign.GenerateSigner()
	if err != nil {
		b.Fatal(err)
	}
	cfg := engine.Config{Signer: signer, Store: engine.Store{Dir: diskDir(b)}}
	if mode == "recycled" {
		cfg.Store.RetainBytes = 1
	}
	e, err := engine.Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	if mode == "recycled" {
		appendDurable(b, e, all, int(4*journal.DefaultSegmentSize*int64(len(all))/size))
	}
	b.SetBytes(size / int64(len(all)))
	b.ReportAllocs()
	before, _ := e.StoreStats()
	b.ResetTimer()
	appendDurable(b, e, all, b.N)
	b.StopTimer()
	report(b, "receipts")
	after, _ := e.StoreStats()
	if batches := after.Journal.Batches - before.Journal.Batches; batches > 0 {
		b.ReportMetric(float64(after.Journal.Bytes-before.Journal.Bytes)/float64(batches)/1024, "KiB/write")
	}
	if err := e.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// appendDurable has producers append count receipts, each for an app of its own, and waits until all are sealed.
func appendDurable(b *testing.B, e *engine.Engine, all []*receipt.Receipt, count int) {
	b.Helper()
	ctx := context.Background()
	var wg sync.WaitGroup
	for p := range producersOfDurable {
		app := fmt.Sprintf("app-%d", p)
		n, err := e.Notary(app)
		if err != nil {
			b.Fatal(err)
		}
		own := make([]*receipt.Receipt, 0, 1200)
		for len(own) < 1200 {
			r := all[len(own)%len(all)].Clone()
			r.App = app
			own = append(own, &r)
		}
		wg.Go(func() {
			left := count / producersOfDurable
			if p == 0 {
				left = count - left*(producersOfDurable-1)
			}
			var last engine.Seq
			for left > 0 {
				part := own[:min(left, 1000)]
				first, taken, err := n.AppendBatch(ctx, part)
				if err != nil {
					b.Error(err)
					return
				}
				last = first + engine.Seq(taken) - 1
				left -= taken
			}
			if last == 0 {
				return
			}
			if _, err := n.Seal(ctx); err != nil && err != engine.ErrEmpty {
				b.Error(err)
			}
			if _, err := n.Wait(ctx, last); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
}

func benchmarkRawDisk(b *testing.B, mode string) {
	dir, err := journal.Dir(diskDir(b))
	if err != nil {
		b.Fatal(err)
	}
	_, ends := realLeaves(b)
	size := int64(ends[len(ends)-1] / len(ends))
	batch := journal.AlignedBuffer(1 << 20)
	for i := range batch {
		batch[i] = byte(i * 7)
	}
	const fileSize = journal.DefaultSegmentSize
	var file journal.File
	written := int64(fileSize)
	files := 0
	write := func() {
		if written == fileSize {
			written = 0
			if mode == "append" || file == nil {
				if file != nil {
					if err := file.Close(); err != nil {
						b.Fatal(err)
					}
				}
				if file, err = dir.Create(fmt.Sprintf("raw-%d", files), fileSize); err != nil {
					b.Fatal(err)
				}
				files++
			}
		}
		if _, err := file.WriteAt(batch, written); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
		written += int64(len(batch))
	}
	if mode == "recycled" {
		for range fileSize >> 20 {
			write()
		}
	}
	b.SetBytes(size)
	b.ResetTimer()
	for done := int64(0); done < int64(b.N)*size; done += int64(len(batch)) {
		write()
	}
	b.StopTimer()
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
}

// diskDir is a directory on a disk: ENCSEAL_DISK names where, else the system's place for temporary files, which must not be
// memory for the figures to mean something.
func diskDir(b *testing.B) string {
	b.Helper()
	if at := os.Getenv("ENCSEAL_DISK"); at != "" {
		dir, err := os.MkdirTemp(at, "encseal-bench-")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			if err := os.RemoveAll(dir); err != nil {
				b.Error(err)
			}
		})
		return dir
	}
	return b.TempDir()
}
