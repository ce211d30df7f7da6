package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/encseal/encseal/engine/internal/derive"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/logblock"
)

// A head file holds one record in two slots of 4,096 bytes, written in turn, so that one is whole whatever happens to the
// other. Little-endian:
//
//	0   magic "encshead"
//	8   version, 1
//	12  journal's id, 16 bytes
//	28  number of cuts over all apps
//	36  digest over every app's last cut: derive_key of context headContext over (app's number, height, block hash) of each
//	    app with a cut, in the order of the numbers; numbers of 8 bytes
//	68  CRC-32C of the 68 bytes before
const (
	headSlot    = 4096
	headMagic   = "encshead"
	headVersion = 1
	headContext = "encseal 2026-11-25 head file v1"
)

// headRecord says which cuts a journal had when something was signed last.
type headRecord struct {
	id     [16]byte
	cuts   uint64
	digest [32]byte
}

// appHead is an app's last cut.
type appHead struct {
	id   uint64
	head logblock.Head
}

// headKey is never written.
var headKey = derive.NewKey(headContext)

// digestHeads returns the digest over apps, which are in the order of their numbers.
func digestHeads(apps []appHead) [32]byte {
	var all []byte
	for _, a := range apps {
		all = binary.LittleEndian.AppendUint64(all, a.id)
		all = binary.LittleEndian.AppendUint64(all, a.head.Height)
		all = append(all, a.head.Hash[:]...)
	}
	return headKey.Sum(all)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// headFile is open for writing. It belongs to one goroutine at a time.
type headFile struct {
	file journal.File
	slot int64 // to be written next
	buf  []byte
}

// openHead opens the head file and returns what it holds; no record where the file is missing, and no file then.
func openHead(dir journal.FS, name string, write bool) (*headFile, *headRecord, error) {
	f, err := dir.Open(name, write)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("engine: head file: %w", err)
	}
	h := &headFile{file: f, buf: journal.AlignedBuffer(headSlot)}
	last, err := h.read()
	if err != nil {
		_ = f.Close() // it was only read
		return nil, nil, err
	}
	return h, last, nil
}

// read returns the newer of the two records.
func (h *headFile) read() (*headRecord, error) {
	var last *headRecord
	written := false
	for slot := range int64(2) {
		n, err := h.file.ReadAt(h.buf, slot*headSlot)
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("engine: head file: %w", err)
		}
		for _, b := range h.buf[:n] {
			written = written || b != 0
		}
		r, err := parseHead(h.buf[:n])
		if err != nil {
			return nil, err
		}
		if r != nil && (last == nil || r.cuts > last.cuts) {
			last, h.slot = r, 1-slot
		}
	}
	if last == nil && written {
		return nil, errors.New("engine: head file: both records are damaged")
	}
	return last, nil
}

// parseHead returns the record in a slot, nil where there is no whole one.
func parseHead(b []byte) (*headRecord, error) {
	if len(b) < 72 || string(b[:8]) != headMagic || crc32.Checksum(b[:68], castagnoli) != binary.LittleEndian.Uint32(b[68:]) {
		return nil, nil
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != headVersion {
		return nil, fmt.Errorf("engine: head file: version %d, this program knows %d", v, headVersion)
	}
	r := &headRecord{cuts: binary.LittleEndian.Uint64(b[28:])}
	copy(r.id[:], b[12:])
	copy(r.digest[:], b[36:])
	return r, nil
}

// createHead makes the file with its first record. Its name is not durable yet.
func createHead(dir journal.FS, name string, r *headRecord) (*headFile, error) {
	f, err := dir.Create(name, 2*headSlot)
	if err != nil {
		return nil, fmt.Errorf("engine: head file: %w", err)
	}
	h := &headFile{file: f, buf: journal.AlignedBuffer(headSlot)}
	if err := h.write(r); err != nil {
		_ = f.Close() // the first error is the one to tell
		return nil, err
	}
	return h, nil
}

// write makes r durable.
func (h *headFile) write(r *headRecord) error {
	clear(h.buf)
	copy(h.buf, headMagic)
	binary.LittleEndian.PutUint32(h.buf[8:], headVersion)
	copy(h.buf[12:], r.id[:])
	binary.LittleEndian.PutUint64(h.buf[28:], r.cuts)
	copy(h.buf[36:], r.digest[:])
	binary.LittleEndian.PutUint32(h.buf[68:], crc32.Checksum(h.buf[:68], castagnoli))
	if _, err := h.file.WriteAt(h.buf, h.slot*headSlot); err != nil {
		return fmt.Errorf("engine: head file: %w", err)
	}
	if err := h.file.Sync(); err != nil {
		return fmt.Errorf("engine: head file: %w", err)
	}
	h.slot = 1 - h.slot
	return nil
}

func (h *headFile) close() error {
	if h == nil {
		return nil
	}
	return h.file.Close()
}

// headDir returns the directory of the head file, and its name there.
func (s *Store) headDir() (journal.FS, string, error) {
	name := filepath.Base(s.Head)
	if s.HeadFS != nil {
		return s.HeadFS, name, nil
	}
	dir, err := journal.Dir(filepath.Dir(s.Head))
	if err != nil {
		return nil, "", fmt.Errorf("engine: head file: %w", err)
	}
	return dir, name, nil
}
