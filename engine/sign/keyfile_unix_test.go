//go:build unix

package sign

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestReadDoesNotWait reads pipes that nobody writes to, and devices.
func TestReadDoesNotWait(t *testing.T) {
	dir := t.TempDir()
	fifo, link := filepath.Join(dir, "fifo"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(fifo, link); err != nil {
		t.Fatal(err)
	}
	for path, reason := range map[string]string{
		fifo:        "a pipe",
		link:        "a pipe",
		"/dev/null": "not a regular file",
		"/dev/zero": "not a regular file",
	} {
		_, err := ReadKeyFile(path)
		wantReason(t, path, err, reason)
		wantHarmless(t, path, path, err)
		_, err = ReadPublicKey(path)
		wantReason(t, path, err, reason)
	}
}

func TestReadFollowsLinks(t *testing.T) {
	path := writeFile(t, rfc8410Private)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.pem")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if s, err := ReadKeyFile(link); err != nil || s.PublicKey().String() != rfc8410Key {
		t.Errorf("got %v, %v, want %s", s, err, rfc8410Key)
	}
}

func TestWriteDoesNotFollowLinks(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link.pem")
	if err := os.Symlink(filepath.Join(dir, "target.pem"), link); err != nil {
		t.Fatal(err)
	}
	if err := WriteKeyFile(link, NewSigner(&[32]byte{9})); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want fs.ErrExist", err)
	}
	wantNames(t, dir, "link.pem")
}
