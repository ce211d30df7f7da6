//go:build amd64 && !purego

package ed25519x8

import (
	"reflect"
	"testing"
	"unsafe"
)

// TestKernelsLeaveNoRegisters fills the registers' lanes with values and looks at them after each kernel.
func TestKernelsLeaveNoRegisters(t *testing.T) {
	skipWithout(t)
	s := new(Scratch)
	a := *constant([5]uint64{1<<52 - 1, 1<<51 + 77, 12345, 1 << 40, 1<<50 + 9})
	fill := func() {
		for g := range s.sums {
			s.sums[g] = sums{a, a, a, a}
		}
		for i := range s.hash {
			s.hash[i] = a[i%5]
		}
		s.k, s.a = words(a[:4]), words(a[1:])
		for w := range s.digits[0] {
			s.digits[0][w] = [lanes]int8{-1, 2, -3, 4, 5, 17, -32, 0}
		}
		for w := range s.digits4 {
			s.digits4[w] = [lanes]int8{-1, 2, -3, 4, 5, -8, 8, 0}
		}
		for j := range s.table {
			s.table[j] = cached{a, a, a, a}
		}
	}
	for name, kernel := range map[string]func(){
		"mul":       func() { mul(&s.inv, &a, &a) },
		"square":    func() { square(&s.inv, &a, 3) },
		"add":       func() { add(&s.inv, &a, &a) },
		"sub":       func() { sub(&s.inv, &a, &a) },
		"pack":      func() { pack(&s.x, &a) },
		"addCached": func() { addCached(&s.sums[0], &s.table[0]) },
		"double":    func() { double(&s.sums[0]) },
		"addFixed":  func() { addFixed(&s.sums[0], &s.digits[0], Base().windows(), 2) },
		"ladder":    func() { ladder(&s.sums[0], &s.digits4, &s.table, &s.entry) },
		"hashBlock": func() { hashBlock(&s.hash, s.message.words()) },
		"reduce":    func() { reduce(&s.x, &s.hash) },
		"mulAdd":    func() { mulAdd(&s.x, &s.k, &s.a, &s.k) },
		"recode6":   func() { recode6(&s.digits[1], &s.k) },
		"recode4":   func() { recode4(&s.digits4, &s.k) },
	} {
		fill()
		var vectors [32][8]uint64
		var masks [7]uint64
		kernel()
		registers(&vectors, &masks)
		// Between the two calls Go may have moved bytes through the lowest lanes of X0 to X14.
		for i := range vectors {
			for l, w := range vectors[i] {
				if w != 0 && (i >= 16 || l >= 4) {
					t.Errorf("%s: Z%d, lane %d: got %#x, want 0", name, i, l, w)
				}
			}
		}
		if masks != [7]uint64{} {
			t.Errorf("%s: masks: got %x, want none", name, masks)
		}
	}
}

// TestSignWipes signs and looks at every field of the scratch but those that hold public values.
func TestSignWipes(t *testing.T) {
	skipWithout(t)
	key := &Key{Prefix: [32]byte{1}, Scalar: [32]byte{8, 31: 0x40}, Public: [32]byte{3}}
	for _, n := range []int{1, 8, 9, 64, MaxBatch} {
		s := new(Scratch)
		Sign(s, []*Key{key}, make([][32]byte, n), make([][64]byte, n))
		v := reflect.ValueOf(s).Elem()
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "message" && !v.Field(i).IsZero() {
				t.Errorf("batch of %d: %s is not zero", n, name)
			}
		}
	}
}

var heap *Scratch // keeps it off the stack

// TestScratchIsLarge: what is smaller does not start at a page.
func TestScratchIsLarge(t *testing.T) {
	for range 10 {
		heap = new(Scratch)
		if p := uintptr(unsafe.Pointer(heap)); p%64 != 0 {
			t.Errorf("a Scratch at %#x", p)
		}
	}
	if size := unsafe.Sizeof(Table{}); size != TableSize {
		t.Errorf("a Table takes %d bytes, want %d", size, TableSize)
	}
}
