package sign

import (
	"cmp"
	"crypto/rand"
	"math"
	"os"
	"slices"
	"testing"
	"time"
)

// TestTiming signs the same digests with a fixed key and with random keys, one right after the other in random order, and
// prints the t statistic of the differences in time (as dudect: Reparaz, Balasch, Verbauwhede), the largest tenth left
// out as the machine's noise. Pairs cancel what drifts. It runs with ENCSEAL_TIMING=1 and judges nothing: a |t| of 10 that
// grows with the count says that time tells of the key.
func TestTiming(t *testing.T) {
	if os.Getenv("ENCSEAL_TIMING") != "1" {
		t.Skip("ENCSEAL_TIMING is not 1")
	}
	const n, count = 8, 20_000
	for _, backend := range Backends() {
		cfg := SignerConfig{Backend: backend, NoSelfCheck: true}
		// Fixed and random: as many objects of both, and made in random order, so that caches see them alike. Without the
		// order, two classes with the same keys differ by where they lie.
		var signers [2][500]*Signer
		for i := range signers[0] {
			var random [33]byte
			rand.Read(random[:])
			seeds := [2][32]byte{{1}, [32]byte(random[1:])}
			first := int(random[0] & 1)
			signers[first][i] = with(t, seeds[first], cfg)
			signers[1-first][i] = with(t, seeds[1-first], cfg)
		}
		digests, sigs := randomDigests(n, 1), make([][64]byte, n)
		var differences []float64
		for i := range count {
			var coin [1]byte
			rand.Read(coin[:])
			first := int(coin[0] & 1)
			var times [2]float64
			for _, class := range []int{first, 1 - first} {
				start := time.Now()
				if err := signers[class][i%500].SignBatch(digests, sigs); err != nil {
					t.Fatal(err)
				}
				times[class] = float64(time.Since(start))
			}
			differences = append(differences, times[0]-times[1])
		}
		t.Logf("%s: t = %.2f over %d pairs of batches of %d", backend, studentT(differences), count, n)
	}
}

// studentT returns the mean over its standard error, of the nine tenths of d that are nearest to 0.
func studentT(d []float64) float64 {
	slices.SortFunc(d, func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) })
	d = d[:len(d)*9/10]
	n := float64(len(d))
	mean, variance := 0.0, 0.0
	for _, x := range d {
		mean += x / n
	}
	for _, x := range d {
		variance += (x - mean) * (x - mean) / (n - 1)
	}
	return mean / math.Sqrt(variance/n)
}
