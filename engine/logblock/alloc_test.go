//go:build !race

// The race detector makes sync.Pool, which engine/sign has, forget at random.

package logblock

import (
	"testing"

	"github.com/encseal/encseal/engine/receipt"
)

// A batch is verified without allocating where one of its size was verified before.
func TestProducersAllocateNothing(t *testing.T) {
	a, b := newProducer(1), newProducer(2)
	p := producers(t, ProducerKey{Key: a.key()}, ProducerKey{Key: b.key()})
	if err := p.Check(a.next(t), b.next(t)); err != nil {
		t.Fatal(err)
	}
	batch := make([]*receipt.Receipt, groupSize+2*partSize+5)
	for i := range batch {
		from := a
		if i%3 == 0 {
			from = b
		}
		batch[i] = from.next(t)
	}
	var claims []Claim
	verify := func() {
		var err error
		if claims, err = p.Verify(claims[:0], batch); err != nil {
			t.Fatal(err)
		}
		if err := p.Standing(claims); err != nil {
			t.Fatal(err)
		}
	}
	verify()
	verify() // the keys have tables now
	if got := testing.AllocsPerRun(5, verify); got != 0 {
		t.Errorf("got %v allocations for %d receipts, want 0", got, len(batch))
	}
}
