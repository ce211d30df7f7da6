package main

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// rejects keeps refused lines in a file, so that they can be mended and sealed later:
//
//	{"line":N,"error":"field: reason","input":"the line"}
//
// or input_base64 in place of input where the line is not UTF-8 or too long to be looked at whole.
type rejects struct {
	out *output
	buf []byte
}

func createRejects(path string) (*rejects, error) {
	out, err := openOutput(path)
	if err != nil {
		return nil, err
	}
	if err := out.mustBeEmpty(); err != nil {
		return nil, errors.Join(err, out.file.Close())
	}
	return &rejects{out: out}, nil
}

func (r *rejects) head(line int64, reason error) []byte {
	b := append(r.buf[:0], `{"line":`...)
	b = strconv.AppendInt(b, line, 10)
	b = append(b, `,"error":`...)
	return appendText(b, reason.Error())
}

// add writes a line in one piece.
func (r *rejects) add(line int64, reason error, input []byte) error {
	b := r.head(line, reason)
	if utf8.Valid(input) {
		b = append(b, `,"input":`...)
		b = appendText(b, string(input))
	} else {
		b = append(b, `,"input_base64":"`...)
		b = base64.StdEncoding.AppendEncode(b, input)
		b = append(b, '"')
	}
	r.buf = append(b, "}\n"...)
	_, err := r.out.Write(r.buf)
	return err
}

// addLong writes a line that is read as it is written. Where reading it fails, nothing of it stays in the file.
func (r *rejects) addLong(line int64, reason error, input io.Reader) error {
	size := r.out.size
	err := r.copyLong(line, reason, input)
	if err != nil {
		err = errors.Join(err, r.out.cutTo(size))
	}
	return err
}

func (r *rejects) copyLong(line int64, reason error, input io.Reader) error {
	w := bufio.NewWriterSize(r.out, readSize)
	w.Write(append(r.head(line, reason), `,"input_base64":"`...))
	encoder := base64.NewEncoder(base64.StdEncoding, w)
	if _, err := io.Copy(encoder, input); err != nil {
		return err
	}
	if err := encoder.Close(); err != nil {
		return err
	}
	w.WriteString("\"}\n") // errors stay with w until Flush
	return w.Flush()
}

// appendText appends s as a JSON string. What is not UTF-8 in it, which an error's text may quote, is replaced.
func appendText(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}
