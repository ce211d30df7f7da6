package receipt

import (
	"cmp"
	"slices"
	"strings"
)

// A Label is a key and its value: any UTF-8, empty too.
type Label struct{ Key, Value string }

// SortLabels brings l into canonical order: shorter keys first, keys of one
// length bytewise.
func SortLabels(l []Label) {
	slices.SortFunc(l, func(a, b Label) int { return compareKeys(a.Key, b.Key) })
}

// compareKeys is the canonical order, which is the bytewise order of the keys'
// encodings.
func compareKeys(a, b string) int {
	if len(a) != len(b) {
		return cmp.Compare(len(a), len(b))
	}
	return strings.Compare(a, b)
}

// sorted reports whether l's keys stand strictly ascending in canonical order.
func sorted(l []Label) bool {
	for i := 1; i < len(l); i++ {
		if compareKeys(l[i-1].Key, l[i].Key) >= 0 {
			return false
		}
	}
	return true
}

// checkOrder returns why b cannot be the label key that follows a.
func checkOrder(a, b string) (reason string) {
	if len(a) < len(b) || len(a) == len(b) && a < b {
		return ""
	}
	if a == b {
		return reasonDuplicate + " key " + shown(a)
	}
	return "not sorted: key " + shown(b) + " after " + shown(a)
}

// printedOrder returns the bytewise order of l's keys, which is the order they
// print in: position i holds the label at index order[i]. Only the first len(l)
// items count; l has at most MaxLabels.
func printedOrder(l []Label) (order [MaxLabels]uint8) {
	for i := range l {
		at := i
		for at > 0 && l[order[at-1]].Key > l[i].Key {
			order[at] = order[at-1]
			at--
		}
		order[at] = uint8(i)
	}
	return order
}
