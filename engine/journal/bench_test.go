package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/encseal/encseal/engine/journal"
)

// diskDir is a directory on the disk of the working directory, or of TMPDIR where that is set: where /tmp is memory,
// a benchmark of a disk has no use for it.
func diskDir(b *testing.B) journal.FS {
	b.Helper()
	root := os.Getenv("TMPDIR")
	if root == "" {
		root = "."
	}
	path, err := os.MkdirTemp(root, "bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(path) })
	fs, err := journal.Dir(filepath.Join(path, "journal"))
	if err != nil {
		b.Fatal(err)
	}
	return fs
}

const (
	benchBatch = 1 << 20
	benchFrame = 32 << 10
)

// BenchmarkAppend writes 32 KiB frames until they are durable, beside the bare disk: writes of 1 MiB and a sync each in
// a loop. mode=append writes where nothing was written before, mode=recycled over old files. An operation is 1 MiB.
func BenchmarkAppend(b *testing.B) {
	for _, mode := range []string{"append", "recycled"} {
		b.Run(fmt.Sprintf("mode=%s/impl=rawdisk", mode), func(b *testing.B) { rawDisk(b, mode == "recycled") })
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("mode=%s/impl=journal/workers=%d", mode, workers), func(b *testing.B) {
				appendFrames(b, mode == "recycled", workers)
			})
		}
	}
}

func rawDisk(b *testing.B, recycled bool) {
	fs := diskDir(b)
	buf := journal.AlignedBuffer(benchBatch)
	for i := range buf {
		buf[i] = byte(i * i)
	}
	var f journal.File
	at, n := int64(0), 0
	const size = journal.DefaultSegmentSize
	write := func() {
		if f == nil || at == size && !recycled {
			if f != nil {
				f.Close()
				if err := fs.Remove(fmt.Sprint(n)); err != nil {
					b.Fatal(err)
				}
			}
			n++
			var err error
			if f, err = fs.Create(fmt.Sprint(n), size); err != nil {
				b.Fatal(err)
			}
			at = 0
		}
		if _, err := f.WriteAt(buf, at%size); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		at += benchBatch
	}
	for range size / benchBatch {
		write()
	}
	b.SetBytes(benchBatch)
	for b.Loop() {
		write()
	}
	b.StopTimer()
	f.Close()
}

// counted counts new files: with mode=recycled there are to be none.
type counted struct {
	journal.FS
	created atomic.Int64
}

func (c *counted) Create(name string, size int64) (journal.File, error) {
	c.created.Add(1)
	return c.FS.Create(name, size)
}

// appendFrames has a journal that is pruned behind the writer, so that it takes little space.
func appendFrames(b *testing.B, recycled bool, workers int) {
	disk := &counted{FS: diskDir(b)}
	cfg := journal.Config{FS: disk, Spares: -1}
	if recycled {
		cfg.Spares = 2
	}
	j := open(b, cfg, nil)
	var prune sync.WaitGroup
	wanted := make(chan journal.Offset, 1)
	prune.Go(func() {
		for before := range wanted {
			if err := j.Prune(before); err != nil {
				b.Error(err)
			}
		}
	})
	write := func(mib int) {
		var group sync.WaitGroup
		for w := range workers {
			group.Go(func() {
				frame := make([]byte, benchFrame)
				for i := range frame {
					frame[i] = byte(i * (i + w))
				}
				var last uint64
				for range mib * (benchBatch / benchFrame) / workers {
					at, _, err := j.Append(1, frame)
					if err != nil {
						b.Error(err)
						return
					}
					if s := j.Segment(at); s != last {
						last = s
						select {
						case wanted <- at:
						default:
						}
					}
				}
			})
		}
		group.Wait()
		_, end, err := j.Append(1, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := j.Wait(b.Context(), end); err != nil {
			b.Fatal(err)
		}
	}
	write(6 * journal.DefaultSegmentSize / benchBatch)
	b.SetBytes(benchBatch)
	b.ReportAllocs()
	before := disk.created.Load()
	b.ResetTimer()
	write(b.N)
	b.StopTimer()
	b.ReportMetric(float64(disk.created.Load()-before), "newfiles")
	close(wanted)
	prune.Wait()
	shut(b, j)
}
