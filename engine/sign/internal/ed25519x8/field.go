//go:build amd64 && !purego

package ed25519x8

//go:generate go -C ../../_asm run . -out ../internal/ed25519x8/kernels_amd64.s -stubs ../internal/ed25519x8/kernels_amd64.go -pkg ed25519x8

// lanes is how many signatures lie side by side.
const lanes = 8

type (
	// element is a number modulo p = 2^255 − 19 in each lane l: the sum of element[i][l]·2^(51·i). "Reduced" are limbs
	// below 2^51 + 2^17, which every function here returns; "factors" are limbs below 2^52, which every one takes.
	element = [5][lanes]uint64

	// words is a number of 256 bits in each lane, little-endian.
	words = [4][lanes]uint64
)

const mask51 = 1<<51 - 1

// constant returns the element with the limbs given in all lanes.
func constant(limbs [5]uint64) *element {
	e := new(element)
	for i, limb := range limbs {
		for l := range e[i] {
			e[i][l] = limb
		}
	}
	return e
}

var (
	zeroElement = constant([5]uint64{})
	oneElement  = constant([5]uint64{1})
	d           = constant([5]uint64{0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff})
	twoD        = constant([5]uint64{0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff})
	sqrtM1      = constant([5]uint64{0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d})
)

// power sets dst to a^(2^252 − 3), where 2^252 − 3 = (p − 5)/8. dst is not a; t is scratch. The exponents reached are
// noted at the lines.
func power(dst, a *element, t *[2]element) {
	u, v := &t[0], &t[1]
	step := func(to *element, count uint64, by *element) { // to = to^(2^count)·by
		square(to, to, count)
		mul(to, to, by)
	}
	square(u, a, 1)     // 2
	square(v, u, 2)     // 8
	mul(v, v, a)        // 9
	mul(u, u, v)        // 11
	square(u, u, 1)     // 22
	mul(u, u, v)        // 31 = 2^5 − 1
	*v = *u             //
	step(v, 5, u)       // 2^10 − 1
	*dst = *v           //
	step(dst, 10, v)    // 2^20 − 1
	*u = *dst           //
	step(u, 20, dst)    // 2^40 − 1
	step(u, 10, v)      // 2^50 − 1
	*v = *u             //
	step(v, 50, u)      // 2^100 − 1
	*dst = *v           //
	step(dst, 100, v)   // 2^200 − 1
	step(dst, 50, u)    // 2^250 − 1
	square(dst, dst, 2) // 2^252 − 4
	mul(dst, dst, a)    // 2^252 − 3
}

// invert sets dst to 1/a, and to 0 for 0: a^(p − 2), where p − 2 = 8·(2^252 − 3) + 3. dst may be a; t is scratch.
func invert(dst, a *element, t *[4]element) {
	cube, high := &t[0], &t[1]
	square(cube, a, 1)
	mul(cube, cube, a)
	power(high, a, (*[2]element)(t[2:]))
	square(high, high, 3)
	mul(dst, high, cube)
}

// unpack sets dst to the lower 255 bits of w.
func unpack(dst *element, w *words) {
	for l := range lanes {
		dst[0][l] = w[0][l] & mask51
		dst[1][l] = (w[0][l]>>51 | w[1][l]<<13) & mask51
		dst[2][l] = (w[1][l]>>38 | w[2][l]<<26) & mask51
		dst[3][l] = (w[2][l]>>25 | w[3][l]<<39) & mask51
		dst[4][l] = w[3][l] >> 12 & mask51
	}
}
