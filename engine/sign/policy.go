package sign

// What follows decides how a Verifier of Backend IFMA spends memory and time.
const (
	maxKeys   = 256 // keys that a Verifier remembers
	maxTables = 32  // tables that it keeps, 165,120 bytes each

	// tableAfter is how many signatures of a key a Verifier sees before it makes a table: about as many as pay for it.
	tableAfter = 64
)
