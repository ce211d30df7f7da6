package engine

// fifo is a queue of batches that reuses its array.
type fifo struct {
	batches []*batch
	head    int // batches[:head] are gone
}

func (f *fifo) len() int      { return len(f.batches) - f.head }
func (f *fifo) first() *batch { return f.batches[f.head] }
func (f *fifo) all() []*batch { return f.batches[f.head:] }
func (f *fifo) push(b *batch) { f.batches = append(f.batches, b) }

// drop removes the first batch. Moving the rest down only when half the array is gone keeps it at constant cost.
func (f *fifo) drop() {
	f.batches[f.head] = nil
	f.head++
	if f.head > len(f.batches)/2 {
		n := copy(f.batches, f.batches[f.head:])
		clear(f.batches[n:])
		f.batches, f.head = f.batches[:n], 0
	}
}
