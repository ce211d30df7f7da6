package merkle

import (
	"errors"
	"fmt"
)

// Verify returns nil exactly when path leads from the leaf's hash at index, in a tree of count leaves, to root, with no hash left
// over: RFC 9162 §2.1.3.2. It borrows path for the call and hashes at most 64 times, however long path is. The errors
// say which of it does not hold: index not below count, path too long, path too short, or another root. They are about what was
// claimed, so any of them means no proof.
//
// Verify says nothing about where root and count come from. A path that holds for (index, count) can hold for other pairs of the
// same shape, so count must be one that is answered for together with root.
func Verify(root, leaf Hash, index, count uint64, path []Hash) error {
	if index >= count {
		return fmt.Errorf("merkle: index %d is not below the count of leaves, %d", index, count)
	}
	// fn and sn are the places of our hash r and of the last hash on the present level (the RFC's names).
	r, fn, sn := leaf, index, count-1
	for i := range path {
		if sn == 0 {
			return fmt.Errorf("merkle: path of %d hashes is too long: index %d of %d leaves has %d", len(path), index, count, i)
		}
		if fn&1 != 0 || fn == sn {
			r = HashNode(&path[i], &r)
			// An even fn here is the last of its level and carried: up to the level where it stands on the right of a pair. There is
			// one, as fn == sn is not 0.
			for fn&1 == 0 {
				fn >>= 1
				sn >>= 1
			}
		} else {
			r = HashNode(&r, &path[i])
		}
		fn >>= 1
		sn >>= 1
	}
	if sn != 0 {
		return fmt.Errorf("merkle: path of %d hashes is too short for index %d of %d leaves", len(path), index, count)
	}
	if r != root {
		return errors.New("merkle: path leads to another root")
	}
	return nil
}
