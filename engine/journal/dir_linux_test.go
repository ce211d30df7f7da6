package journal

import (
	"bytes"
	"testing"
)

// Reads of any alignment, and the way back to the page cache at the first write that direct I/O refuses.
func TestDirectFile(t *testing.T) {
	d, err := Dir(t.TempDir() + "/a/b")
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Create("x", 256<<10)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !f.Direct() {
		t.Skip("no direct I/O here")
	}
	want := AlignedBuffer(256 << 10)
	for i := range want {
		want[i] = byte(i * i >> 7)
	}
	if err := writeAll(f, want, 0); err != nil {
		t.Fatal(err)
	}
	for _, off := range []int{0, 1, 511, 4095, 4096, 100000} {
		for _, n := range []int{1, 4095, 4096, 70000, 150000} {
			got := make([]byte, n+1)[1:]
			if n, err := f.ReadAt(got, int64(off)); err != nil || n != len(got) || !bytes.Equal(got, want[off:off+n]) {
				t.Fatalf("%d bytes at %d: got %d, %v", len(got), off, n, err)
			}
		}
	}
	if n, err := f.ReadAt(make([]byte, 100), 256<<10-40); n != 40 || err == nil {
		t.Errorf("over the end: got %d bytes, %v", n, err)
	}
	if !f.Direct() {
		t.Error("reading left direct I/O")
	}
	odd := append(make([]byte, 1, 4097), want[:4096]...)[1:]
	if err := writeAll(f, odd, 8192); err != nil {
		t.Errorf("a write that is not aligned: %v", err)
	}
	if err := f.Sync(); err != nil {
		t.Error(err)
	}
	got := make([]byte, 4096)
	if _, err := f.ReadAt(got, 8192); err != nil || !bytes.Equal(got, want[:4096]) {
		t.Errorf("after it: %v", err)
	}
	if f.Direct() {
		t.Skip("this file system takes writes of any alignment")
	}
}
