package main

import (
	"io"
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// bytesBar shows on a terminal how far a data directory was read.
type bytesBar struct {
	container *mpb.Progress // nil where there is no terminal to show it on
	bar       *mpb.Bar      // nil before the first report
	words     *words        // go through the container while it is there
	stderr    io.Writer     // where they went before
}

func (c *console) newBytesBar() *bytesBar {
	b := &bytesBar{words: c.err}
	if !isTerminal(os.Stderr) {
		return b
	}
	b.container = mpb.New(mpb.WithOutput(os.Stderr))
	b.stderr = b.words.through(b.container)
	return b
}

// moved is a check's progress: bytes read, of how many. It may start over.
func (b *bytesBar) moved(done, of int64) {
	if b.container == nil {
		return
	}
	if b.bar == nil {
		b.bar = b.container.AddBar(of, mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Counters(decor.SizeB1024(0), " % .1f of % .1f ")),
			mpb.AppendDecorators(decor.Percentage(), decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace)))
	}
	if done >= of { // a bar that is full is gone, but a check may start over
		done = of - 1
	}
	b.bar.SetTotal(of, false)
	b.bar.SetCurrent(done)
}

// stop takes the line off the terminal and gives the words back.
func (b *bytesBar) stop() {
	if b.container == nil {
		return
	}
	b.words.through(b.stderr)
	if b.bar != nil {
		b.bar.Abort(true)
	}
	b.container.Wait()
}
