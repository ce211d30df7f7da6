package logblock

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// MaxFreshProducers bounds the producer keys without a head: a first receipt is tried against each of them.
const MaxFreshProducers = 64

// ProducerKey is a producer that is trusted, and where its chain for the app stands.
type ProducerKey struct {
	Key  sign.PublicKey
	Head receipt.Hash // hash of its last receipt, a digest; zero or receipt.Genesis where its first receipt is to come
}

// ParseProducerKey reads "ed25519:HEX", or "ed25519:HEX@blake3:HEX" for a chain that is entered in its middle, or
// "ed25519:HEX@blake3:genesis", which says that it begins. It refuses the keys that [sign.ParsePublicKey] refuses.
func ParseProducerKey(text string) (ProducerKey, error) {
	keyText, headText, entered := strings.Cut(text, "@")
	key, err := sign.ParsePublicKey(keyText)
	if err != nil {
		return ProducerKey{}, fmt.Errorf("logblock: producer key: %w", err)
	}
	p := ProducerKey{Key: key}
	if !entered {
		return p, nil
	}
	if p.Head = receipt.Genesis(); headText == p.Head.String() {
		return p, nil
	}
	var head [32]byte
	if err := parseHex(head[:], hashPrefix, headText); err != nil {
		_, reason := fieldOf(err)
		return ProducerKey{}, fmt.Errorf("logblock: producer key %s: head after @: %s", key, reason)
	}
	p.Head = receipt.Digest(head)
	return p, nil
}

// String returns what ParseProducerKey reads.
func (p ProducerKey) String() string {
	if p.Head.IsZero() {
		return p.Key.String()
	}
	return p.Key.String() + "@" + p.Head.String()
}

// NewProducers returns the producers of one app. legacy is nil for scheme encseal-1, and else says what a receipt digest
// is. It refuses an empty list, keys that [sign.PublicKey.Check] refuses, a key given twice, a head that is no digest, two
// keys with one head, and more than [MaxFreshProducers] keys without a head. keys is borrowed for the call.
func NewProducers(keys []ProducerKey, legacy Legacy) (*Producers, error) {
	if len(keys) == 0 {
		return nil, errors.New("logblock: no producer keys")
	}
	p := &Producers{
		legacy: legacy,
		keys:   make([]sign.PublicKey, len(keys)),
		index:  make(map[sign.PublicKey]int32, len(keys)),
		heads:  make([]producerHead, len(keys)),
		at:     make(map[[32]byte]int32, len(keys)),
	}
	for i, k := range keys {
		if err := p.enter(int32(i), k); err != nil {
			return nil, fmt.Errorf("logblock: producer key %s: %w", k.Key, err)
		}
	}
	if p.fresh > MaxFreshProducers {
		return nil, fmt.Errorf("logblock: %d producer keys without a head, at most %d", p.fresh, MaxFreshProducers)
	}
	return p, nil
}

func (p *Producers) enter(i int32, k ProducerKey) error {
	if err := k.Key.Check(); err != nil {
		return err
	}
	if _, ok := p.index[k.Key]; ok {
		return errors.New("given twice")
	}
	p.keys[i] = k.Key
	p.index[k.Key] = i
	if k.Head.IsZero() || k.Head == receipt.Genesis() {
		p.fresh++
		return nil
	}
	hash, ok := k.Head.Digest()
	if !ok {
		return fmt.Errorf("head %q is no digest", k.Head)
	}
	if other, ok := p.at[hash]; ok {
		return fmt.Errorf("same head as %s", p.keys[other])
	}
	p.heads[i] = producerHead{hash: hash, stands: true}
	p.at[hash] = i
	return nil
}

// Has reports whether key is one of the producers'. A notary's key must not be.
func (p *Producers) Has(key sign.PublicKey) bool {
	_, ok := p.index[key]
	return ok
}

// Keys returns every producer with its head as it is now, in the order that they were given in. The slice is the caller's.
func (p *Producers) Keys() []ProducerKey {
	p.mu.Lock()
	heads := slices.Clone(p.heads)
	p.mu.Unlock()
	keys := make([]ProducerKey, len(heads))
	for i, h := range heads {
		keys[i].Key = p.keys[i]
		if h.stands {
			keys[i].Head = receipt.Digest(h.hash)
		}
	}
	return keys
}
