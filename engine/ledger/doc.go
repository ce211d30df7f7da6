// Package ledger says what a data directory holds and reads it: receipts, cuts and LogBlocks as frames of a journal.
//
// In the house it stands between engine/journal, which knows bytes alone, and engine, which writes these frames; commands
// and auditors read a data directory through it, beside a running engine too. The log is the database: a receipt's leaf is
// written once, in order, and a block's leaves are handed out from there without decoding.
//
// # What is in a journal, and in which order
//
//	App     an app begins: its number, scheme and name
//	Leaves  receipts of one app, consecutive
//	Cut     an app's next block: number of the cut over all apps, first sequence number, header. Its leaves lie before it
//	Block   the same with its signature. Its Cut lies before it, and was durable before the signature was made
//	State   where an app stands: name, next sequence number, last cut, and the heads of its producers. It is the app's first
//	        frame in each segment that has any, but for the one with its App
//	Cursor  how far a sink has come
//	Adopt   a Block whose leaves are elsewhere: imported after an old copy of the directory was restored
//	Head    a head file goes with this journal from here on
//
// Where segments were pruned there is a second journal, the archive. It holds what is left of them: App and Block alone, adopted
// blocks among them, with From 0. Each app's blocks are in it from height 1 on, in order. A block is durable there before its
// segment goes, so that a crash leaves some in both.
//
// Frames of one app are in the order of what happened; those of several apps lie between each other. A crash leaves a
// prefix of what was written, so what is missing is always the end: receipts without a cut are pending, a cut without its
// block is signed again, to the same bytes, and nothing is ever signed that is not durable.
package ledger
