package journaltest

import (
	"bytes"
	"slices"
)

const (
	pageSize   = 4096 // what an image is stored in, and what writes of a Direct file are multiples of
	sectorSize = 512  // what a disk writes whole or not at all
)

type page [pageSize]byte

// image is the bytes of a file at one time. A stored page never changes, so images share them: a copy costs a pointer a
// page. A page of zeros is nil, or not there where pages is shorter than size.
type image struct {
	size  int64
	pages []*page
}

// change is one write: n bytes at the offset at. The data is never written into, and nil where all of it is zero. One with
// n = 0 makes the file at least at bytes long and does nothing else.
type change struct {
	at, n int64
	data  []byte
}

// newChange copies what is in b.
func newChange(at int64, b []byte) change {
	c := change{at: at, n: int64(len(b))}
	if !isZero(b) {
		c.data = bytes.Clone(b)
	}
	return c
}

func isZero(b []byte) bool {
	var zero page
	for ; len(b) > pageSize; b = b[pageSize:] {
		if *(*page)(b) != zero {
			return false
		}
	}
	return bytes.Equal(b, zero[:len(b)])
}

func (im *image) clone() image {
	return image{im.size, slices.Clone(im.pages)}
}

// read fills b from the offset at. What lies past the end reads as zero.
func (im *image) read(b []byte, at int64) {
	for len(b) > 0 {
		i, skip := at/pageSize, at%pageSize
		n := min(len(b), int(pageSize-skip))
		if i < int64(len(im.pages)) && im.pages[i] != nil {
			copy(b[:n], im.pages[i][skip:])
		} else {
			clear(b[:n])
		}
		b, at = b[n:], at+int64(n)
	}
}

func (im *image) apply(c change) {
	end := c.at + c.n
	im.size = max(im.size, end)
	for at := c.at; at < end; {
		i, skip := at/pageSize, at%pageSize
		n := min(end-at, pageSize-skip)
		var part []byte
		if c.data != nil {
			part = c.data[at-c.at:][:n]
		}
		im.setPage(i, skip, n, part)
		at += n
	}
}

// setPage puts part, or n zeros where it is nil, at the byte skip of page i.
func (im *image) setPage(i, skip, n int64, part []byte) {
	if part != nil && isZero(part) {
		part = nil
	}
	if i >= int64(len(im.pages)) {
		if part == nil {
			return
		}
		im.pages = append(im.pages, make([]*page, i+1-int64(len(im.pages)))...)
	}
	switch {
	case n == pageSize && part == nil:
		im.pages[i] = nil
	case n == pageSize:
		im.pages[i] = (*page)(part)
	case im.pages[i] != nil || part != nil:
		p := new(page)
		if im.pages[i] != nil {
			*p = *im.pages[i]
		}
		clear(p[skip : skip+n])
		copy(p[skip:], part)
		im.pages[i] = p
	}
}

// resize cuts the image or puts zeros behind it.
func (im *image) resize(size int64) {
	if size < im.size {
		if tail := size % pageSize; tail != 0 {
			im.setPage(size/pageSize, tail, pageSize-tail, nil)
		}
		pages := (size + pageSize - 1) / pageSize
		im.pages = im.pages[:min(int64(len(im.pages)), pages)]
	}
	im.size = size
}
