package receipt

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

func TestFloat16(t *testing.T) {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for bits := range 1 << 16 {
		src := []byte{cborFloat16, byte(bits >> 8), byte(bits)}
		f, n, reason := decodeFloat(src)
		valid := bits < 0x7c00
		if (reason == "") != valid {
			t.Fatalf("%x: got %v, %q, want accepted %v", src, f, reason, valid)
		}
		if !valid {
			continue
		}
		accepted++
		want, err := mode.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendFloat(nil, f); n != 3 || !bytes.Equal(got, src) || !bytes.Equal(want, src) {
			t.Fatalf("%v: got %x, want %x", f, got, src)
		}
	}
	if accepted != 0x7c00 {
		t.Errorf("got %d binary16, want %d", accepted, 0x7c00)
	}
}

// TestFloats: encoding and printing of random bit patterns, and of the
// neighbours of values where forms change.
func TestFloats(t *testing.T) {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	m := newMaker(5)
	check := func(f float64) {
		if checkFloat(f) != "" {
			return
		}
		want, err := mode.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		got := appendFloat([]byte("x"), f)[1:]
		if !bytes.Equal(got, want) {
			t.Errorf("%v: got %x, want %x", f, got, want)
		}
		back, n, reason := decodeFloat(append(got, 0xff))
		if math.Float64bits(back) != math.Float64bits(f) || n != len(got) || reason != "" {
			t.Errorf("%v: decoded %v of %d bytes, %q", f, back, n, reason)
		}
		for cut := range got {
			if _, _, reason := decodeFloat(got[:cut]); reason == "" {
				t.Errorf("%v: accepted when cut to %d bytes", f, cut)
			}
		}
		checkPrinted(t, f)
	}
	for _, f := range []float64{0, math.SmallestNonzeroFloat64, math.SmallestNonzeroFloat32, 0x1p-126, 0x1p-127, 0x1p-24,
		0x1p-25, 0x1p-14, 0x1p-15, 0x1.ffcp-15, 65504, 65505, 65520, 65536, math.MaxFloat32, math.MaxFloat64, 1e-5, 1e16,
		1e15, 1, 10, 100, 1e21, 1e22, 1e23, 1e-4, 1e-6, 1e-7} {
		check(f)
		check(math.Nextafter(f, 0))
		check(math.Nextafter(f, math.Inf(1)))
	}
	for range 100000 {
		check(m.float())
	}
}

// checkPrinted holds the printed f against the rules, digit by digit, with
// strconv's shortest digits as the oracle of which digits those are.
func checkPrinted(t *testing.T, f float64) {
	t.Helper()
	text := string(printFloat([]byte("x"), f))[1:]
	if back, err := strconv.ParseFloat(text, 64); err != nil || back != f {
		t.Errorf("%v prints as %s, which is %v (%v)", f, text, back, err)
	}
	digits, exponent, hasExponent := strings.Cut(text, "e")
	whole, fraction, hasPoint := strings.Cut(digits, ".")
	if wantPlain := f == 0 || f >= 1e-5 && f < 1e16; hasExponent == wantPlain {
		t.Errorf("%v: got %s, want plain %v", f, text, wantPlain)
	}
	if hasExponent {
		n, err := strconv.Atoi(exponent)
		if err != nil || strconv.Itoa(n) != exponent || len(whole) != 1 || whole == "0" ||
			hasPoint && (fraction == "" || strings.HasSuffix(fraction, "0")) {
			t.Errorf("%v: got %s", f, text)
		}
	} else if !hasPoint || fraction == "" || len(fraction) > 1 && strings.HasSuffix(fraction, "0") ||
		len(whole) > 1 && whole[0] == '0' {
		t.Errorf("%v: got %s", f, text)
	}
	shortest, _, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	want := strings.Trim(strings.Replace(shortest, ".", "", 1), "0")
	if got := strings.Trim(whole+fraction, "0"); got != want {
		t.Errorf("%v: got digits %s, want %s", f, got, want)
	}
}

func TestPrintFloat(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", 1: "1.0", 0.1: "0.1", 1.2: "1.2", 100: "100.0", 1e-5: "0.00001", 9.9e-6: "9.9e-6", 1e-7: "1e-7",
		1.5e-7: "1.5e-7", 1e15: "1000000000000000.0", 9999999999999998: "9999999999999998.0", 1e16: "1e16",
		1.5e17: "1.5e17", 1e100: "1e100", 5e-324: "5e-324", math.MaxFloat64: "1.7976931348623157e308",
		2251799813685248.5: "2251799813685248.5", 1e-10: "1e-10",
	} {
		if got := string(printFloat(nil, f)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestParseFloatRounding: amounts halfway between two binary64, and just off,
// against exact arithmetic.
func TestParseFloatRounding(t *testing.T) {
	m := newMaker(6)
	var (
		p Parser
		r Receipt
	)
	for range 3000 {
		f := math.Float64frombits(m.Uint64N(0x7fe)<<52 | m.Uint64N(1<<52))
		if f < 1e-250 || f > 1e250 {
			continue
		}
		next := math.Nextafter(f, math.Inf(1))
		middle := new(big.Float).SetPrec(2000).SetFloat64(f)
		middle.Add(middle, new(big.Float).SetFloat64(next))
		middle.Quo(middle, big.NewFloat(2))
		even := f
		if math.Float64bits(f)&1 != 0 {
			even = next
		}
		text := middle.Text('e', 800)
		mantissa, exponent, _ := strings.Cut(text, "e")
		cases := map[string]float64{text: even, mantissa + "1e" + exponent: next}
		if f > 1 && f < 1e200 { // all digits before the point, and the power taken back
			whole := strings.Replace(mantissa, ".", "", 1)
			n, err := strconv.Atoi(exponent)
			if err != nil {
				t.Fatal(err)
			}
			power := "e" + strconv.Itoa(n-len(whole)+1)
			cases[whole+power] = even
			cases[whole+"1e"+strconv.Itoa(n-len(whole))] = next
			cases["0."+strings.Repeat("0", 200)+whole+"e"+strconv.Itoa(n+201)] = even
			cases["0."+strings.Repeat("0", 200)+whole+"00001e"+strconv.Itoa(n+201)] = next
		}
		for text, want := range cases {
			if len(text) > maxNumber {
				t.Fatalf("text of %d bytes", len(text))
			}
			if err := p.Parse(altered(t, "3.0", text), &r); err != nil {
				t.Fatal(err)
			}
			if got := r.Resource.StorageGBDay; got != want {
				t.Errorf("%s: got %v, want %v", text, got, want)
			}
		}
	}
}
