package logblock

import (
	"math"

	"github.com/encseal/encseal/engine/receipt"
)

// Usage is what the receipts of a block add up to. Every total saturates at 2^64−1, and does not depend on the order in
// which receipts are added, nor on how they were divided among workers.
type Usage struct {
	CPUms         uint64 // cpu_ms
	MemoryMBs     uint64 // memory_mb_s
	StorageUGBDay uint64 // storage_gb_day in millionths, each receipt's rounded by itself
	EgressUMB     uint64 // egress_mb in millionths, each receipt's rounded by itself
}

// Add adds one receipt's resources, which keep the rules of FORMAT §1. receipts_count plays no part.
func (u *Usage) Add(r *receipt.Resource) {
	u.AddUsage(Usage{
		CPUms:         r.CPUms,
		MemoryMBs:     r.MemoryMBs,
		StorageUGBDay: millionths(r.StorageGBDay),
		EgressUMB:     millionths(r.EgressMB),
	})
}

// AddUsage adds the totals of other receipts.
func (u *Usage) AddUsage(o Usage) {
	u.CPUms = saturatingAdd(u.CPUms, o.CPUms)
	u.MemoryMBs = saturatingAdd(u.MemoryMBs, o.MemoryMBs)
	u.StorageUGBDay = saturatingAdd(u.StorageUGBDay, o.StorageUGBDay)
	u.EgressUMB = saturatingAdd(u.EgressUMB, o.EgressUMB)
}

// Saturating addition is associative and commutative: any order gives min(2^64−1, the true sum).
func saturatingAdd(a, b uint64) uint64 {
	sum := a + b
	if sum < a {
		return math.MaxUint64
	}
	return sum
}

// millionths returns the binary64 product x × 1e6, rounded half-even to an integer; 2^64−1 from 2^64 on, infinity too.
func millionths(x float64) uint64 {
	// The conversion forces the product into binary64 before anything else uses it, so that no machine fuses it.
	product := float64(x * 1e6)
	if !(product > 0) {
		return 0
	}
	// From 2^52 on every binary64 is an integer, so rounding cannot step over the bound.
	if product >= 1<<64 {
		return math.MaxUint64
	}
	return uint64(math.RoundToEven(product))
}
