package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func newOutput(t *testing.T, path string) *output {
	t.Helper()
	o, err := openOutput(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.file.Close() })
	return o
}

func write(t *testing.T, o *output, text string) {
	t.Helper()
	if n, err := o.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("Write: got %d, %v, want %d, nil", n, err, len(text))
	}
}

func TestOutputGoesOnWhereItWasCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(path, []byte("one\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := newOutput(t, path)
	if o.created || o.size != 4 {
		t.Errorf("got created %v, size %d, want false, 4", o.created, o.size)
	}
	write(t, o, "two\n")
	write(t, o, "thr")
	if err := o.cutTo(8); err != nil {
		t.Fatal(err)
	}
	write(t, o, "3\n")
	if err := o.finish(true); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); string(got) != "one\ntwo\n3\n" || err != nil {
		t.Errorf("got %q, %v, want the lines without what was cut off", got, err)
	}
}

func TestOutputOfAFailedRun(t *testing.T) {
	for _, c := range []struct {
		name                  string
		before, during        string
		there, failed, remain bool
	}{
		{"made, nothing written", "", "", false, true, false},
		{"made, something written", "", "x\n", false, true, true},
		{"made, done", "", "", false, false, true},
		{"there before, empty", "", "", true, true, true},
		{"there before", "x\n", "", true, true, true},
	} {
		path := filepath.Join(t.TempDir(), "out")
		if c.there {
			if err := os.WriteFile(path, []byte(c.before), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		o := newOutput(t, path)
		write(t, o, c.during)
		if err := o.finish(c.failed); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, err := os.ReadFile(path)
		if (err == nil) != c.remain || string(got) != c.before+c.during {
			t.Errorf("%s: got %q, %v, want it there: %v", c.name, got, err, c.remain)
		}
	}
}

// A file that was removed between opening and locking it is not written to.
func TestOutputRemovedBeforeItsLock(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows: a file that is open cannot be removed")
	}
	path := filepath.Join(t.TempDir(), "out")
	f, created, err := openFile(path)
	if err != nil || !created {
		t.Fatalf("got created %v, %v, want true, nil", created, err)
	}
	defer f.Close()
	o := &output{file: f, name: path}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := o.hold(); err != nil || o.inPlace() {
		t.Errorf("removed: got %v, in place %v, want nil, false", err, o.inPlace())
	}
	newOutput(t, path)
	if o.inPlace() {
		t.Error("another file under its name is taken for it")
	}
}

func TestOutputThroughALink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink("target", link); err != nil {
		if runtime.GOOS != "windows" {
			t.Fatal(err)
		}
		t.Skip("Windows: no right to make a symbolic link: ", err)
	}
	o := newOutput(t, link)
	write(t, o, "x\n")
	if err := o.finish(false); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "target")); string(got) != "x\n" || err != nil {
		t.Errorf("got %q, %v, want what was written", got, err)
	}
}

func TestSyncDir(t *testing.T) {
	if err := syncDir(t.TempDir()); err != nil {
		t.Error(err)
	}
	err := syncDir(filepath.Join(t.TempDir(), "missing"))
	if runtime.GOOS != "windows" && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: got %v, want %v", err, fs.ErrNotExist)
	}
}
