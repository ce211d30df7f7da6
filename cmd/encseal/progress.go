package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress counts, and shows the counts on one line of a terminal.
type progress struct {
	receipts, blocks atomic.Uint64 // in LogBlocks that are written

	container *mpb.Progress // nil where there is no terminal to show it on
	bar       *mpb.Bar
	words     *words    // go through the container while it is there
	stderr    io.Writer // where they went before
}

// newProgress shows the line when words go to a terminal, unless LogBlocks go to one or receipts are typed at one.
func newProgress(con *console, in *input, out *output) *progress {
	p := &progress{words: con.err}
	if !isTerminal(os.Stderr) || isTerminal(out.file) || isTerminal(in.file) {
		return p
	}
	counts := decor.Any(func(decor.Statistics) string {
		return fmt.Sprintf(" %d receipts, %d blocks ", p.receipts.Load(), p.blocks.Load())
	})
	p.container = mpb.New(mpb.WithOutput(os.Stderr))
	if in.size > 0 {
		p.bar = p.container.AddBar(in.size, mpb.BarRemoveOnComplete(), mpb.PrependDecorators(counts),
			mpb.AppendDecorators(decor.Percentage(), decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace)))
	} else {
		p.bar = p.container.New(0, mpb.SpinnerStyle().PositionLeft(), mpb.BarRemoveOnComplete(), mpb.PrependDecorators(counts))
	}
	p.stderr = p.words.through(p.container)
	return p
}

// count passes r through and moves the bar by the bytes that are read.
func (p *progress) count(r io.Reader) io.Reader {
	if p.bar == nil {
		return r
	}
	return &counted{r, p.bar}
}

type counted struct {
	io.Reader
	bar *mpb.Bar
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.bar.IncrBy(n)
	return n, err
}

// stop takes the line off the terminal and gives the words back.
func (p *progress) stop() {
	if p.container == nil {
		return
	}
	p.words.through(p.stderr)
	p.bar.Abort(true)
	p.container.Wait()
}
