// Package engine is the notary: it takes StepReceipts in order, app by app, seals them into signed LogBlocks and hands these
// on. A Notary seals one app, an Engine has one for each of many, with one key and one journal, or none.
//
//	Append ──► open batch ──cut──► group ──► leaves, roots, headers ──► signatures ──► Sink        in memory
//	  │            (a Notary for each app)              │                   │
//	  └─► journal: leaves ──────────────────────────► cuts ─durable──► blocks ─durable─► Sinks     with a Store
//
// # Order
//
// Receipts are leaves in the order in which Append accepted them, and heights grow by one, whatever the number of producers.
// A batch is cut, which fixes what its block holds, when MaxReceipts are in it, when its oldest receipt has waited MaxWindow
// by this machine's monotonic clock (a producer's ts decides nothing), when its leaves reach a quarter of MaxPendingBytes, or
// when Seal or Close is called.
//
// What was cut while the sealing goroutine was busy is its next group: all signed as one batch, whatever their apps and
// heights. A block that nobody waits with is a group by itself and is signed at once.
//
// # What is promised, with a Store
//
// There are three levels that a caller can wait for:
//
//	accepted  Append returned: the receipt is in the queue, in memory. A crash forgets it
//	durable   WaitDurable returned: its bytes are in the journal and synced. No crash of process or machine loses it
//	sealed    Wait returned: the LogBlock that holds it is signed, and is durable too
//
// What is durable is in exactly one LogBlock, now or after the next Open, which goes on with the same block: a cut without
// its signature is signed again, to the same bytes, and receipts after the last cut are pending again. Nothing is signed that
// is not durable, so no two blocks are ever signed at one height: one process holds the directory at a time, and a head file
// (Store.Head) tells an old copy of it that was put back. Without a head file such a copy opens, and would sign other
// blocks at heights that are used up; Adopt brings it up to date first.
//
// Resending is harmless within Config.DedupWindow: a receipt that was taken is not taken again, and its number is answered.
//
// Sealing never waits for the Sinks. Each has a cursor in the journal; a block is delivered at least once, each app's in
// order. When the disk is full Append returns ErrFull, what is pending is still sealed, and it goes on by itself when there is
// room. A write or sync that fails ends the Engine for good: what was not acknowledged by then may be there or not after the
// next Open.
//
// # What is promised, in memory
//
// A receipt that Append accepted is in exactly one LogBlock unless the process ends before that block was delivered. A Sink's
// failure loses nothing: the block is kept and offered again, with growing pauses; nothing is sealed meanwhile but the group
// that was signed already, the queue fills, and Append waits. When the Signer fails, or the Sink for good (ErrPermanent), the
// Engine stops, and Close returns the blocks that were not taken and the leaves in no block. Nothing here keeps a second
// process, or a second run from the same Config.Resume, from signing other blocks at the same heights: one process at a time
// holds a key and an app.
//
// # Who does what
//
// Encoding and checking run on the goroutines that call Append. An Engine has one goroutine that seals and, in memory,
// delivers; with a Store two more that sign and conclude, one for each Sink, one that prunes (Store.RetainBytes), and the
// journal's two. Each Notary has one that watches the window and sleeps unless a receipt is pending. All end before Close
// returns, and an idle Engine wakes none of them.
package engine
