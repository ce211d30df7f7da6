// Package journal keeps bytes durable and in order. It knows no types: a frame is a byte that says what it is and a
// payload, and has an [Offset] that grows through the journal's life. One process writes; a frame that was reported
// durable is there after any crash, and what a crash left unfinished is told from damage.
//
// [Journal.Append] puts frames into a buffer, [Journal.Kick] has it written, [Journal.Durable] says how far the disk is.
// While one batch is written the next one fills: the slower the disk, the larger the batches.
//
// # Files
//
// A journal is a directory with these files, of mode 0600, and touches no other:
//
//	journal.lock             held while the journal is open for writing
//	seg-0000000000000001     a segment: the number in hexadecimal, from 1
//	spare-0000000000000007   a file that is to be a segment: made ahead, or pruned and kept for reuse
//
// All segments have one size S, fixed when the journal is made. Offset = number × S + byte in the segment.
//
// # Format, version 1
//
// All numbers are little-endian. A CRC is CRC-32C.
//
//	segment    0                4096                                             S
//	           ┌────────┬───────┬────────────────┬────────┬─────────────┬────────┐
//	           │ header │ zeros │ batch          │ batch  │ batch …     │ unused │
//	           └────────┴───────┴────────────────┴────────┴─────────────┴────────┘
//	header     0        8       12   16   24    40       48      56      64    68
//	           │ magic  │version│ 0  │ S  │ id  │ number │ epoch │ first │ CRC │
//	             first: number of the segment's first batch    CRC: of bytes [0, 64)
//
//	batch      at a multiple of 4096, 4096 bytes to 1 MiB; frames back to back; zeros up to a multiple of 4096
//	           ┌────────┬───────┬───────┬───────┬───────┐
//	           │ header │ frame │ frame │ …     │ zeros │
//	           └────────┴───────┴───────┴───────┴───────┘
//	header     0       4     8       16       24        32       36      40  64
//	           │ magic │ CRC │ epoch │ number │ durable │ length │ count │ 0 │
//	             CRC: of bytes [8, 64)    length, count: of the frames
//	             number: 1, 2, … through all segments
//	             durable: Offset; everything before it was durable when the batch was written
//
//	frame      0        4      5   8       12    16
//	           │ length │ type │ 0 │ epoch │ CRC │ payload …
//	             epoch: its low 32 bits    type: not 0    length: of the payload, at most 256 KiB
//	             CRC: of bytes [0, 12), the frame's byte in the segment (8 bytes), the epoch (8 bytes), the payload
//
// The last block of a segment takes no frames. It is kept for the empty batch that Close writes: that needs no next
// segment, which a full disk would not have.
//
// The epoch is 64 random bits, new whenever a file becomes a segment. It never leaves the directory, so that no payload
// can hold what passes for a batch, and nothing that is left in a recycled file does.
//
// # Torn tail and corruption
//
// A batch counts as a whole or not at all: its header, every frame and the padding are right, its epoch is the
// segment's, and its number is the one after the last. Let X be the first place where no such batch is. Then
//
//   - the segment ends at X if the next segment's header says that its first batch has the number expected at X;
//   - X is corrupt if farther on in the segment there is a batch header of its epoch whose durable is above X, or if the
//     next segment's first batch has a higher number, or an intact batch at X has a number that cannot be there;
//   - everything from X on is a torn tail otherwise. It is dropped, which is no error.
//
// This calls nothing corrupt that a crash can leave. One batch is written at a time, and the next one only after the
// sync of the one before returned. So a crash at any time finds all batches before some X durable and at most one
// beyond, in [X, X + 1 MiB), of which any part may be there. The header of that one has durable = X: not above. The
// header of a new segment is written when the batch before its first is durable, so that it too claims only what is
// there. A segment gets its name after its header is durable, and segments are dropped oldest first, each durably before
// the next: there are no gaps.
//
// And nothing that was reported durable is dropped, with one exception. Say the batch at X was durable and is damaged.
// If any batch was written after it, the header of the next one has durable above X, or is the first of the next
// segment, whose header has the higher number: corruption. Only damage to the very last batch, together with nothing
// behind it, looks like a write that a crash cut short; no format can tell these apart. Close writes an empty batch, so
// that in a journal that was closed the last batch holds nothing that could be lost.
//
// Open makes the torn tail zero, [X, X + 1 MiB + 4096), durably, before it writes anything: otherwise frames of the
// torn batch could be taken for those of a later one that is torn at the same place, with their right epoch and place. A
// crash meanwhile leaves a torn tail again. Open also syncs what it read, and writes the last batch again where the page
// cache was in use: a cache can show what a failed sync never brought to the disk.
//
// Bytes that are missing since a file is too short count as damaged.
//
// # Failure
//
// After a failed write or sync nobody knows what is on disk: the journal stops for good, every call returns the first
// error, and the next Open finds out. Preparing the next segment is not part of that. Where there is no space for it the
// journal is [Journal.Full] when less than half a segment is left, goes on to the end of the segment, then waits, and
// goes on by itself when there is space; it looks once a second, and at each Prune.
//
// # What durable means
//
//	system     write                    sync               directory                    lock
//	Linux      O_DIRECT or page cache   fdatasync          fsync                        flock
//	darwin     page cache               F_FULLFSYNC        F_FULLFSYNC                  flock
//	windows    page cache               FlushFileBuffers   renames are written through  LockFileEx
//	BSD        page cache               fsync              fsync                        flock
//	other      Open fails: there is no lock that holds against the same process, too
//
// On Linux O_DIRECT is used where the file system takes it. On windows the names of files that were removed may come
// back after a crash: a segment that was pruned last, or a spare.
//
// This is as much as the system and the disk keep of what they say. A disk that acknowledges a flush and holds the data
// in a cache without power protection breaks it. On file systems that write every change to a new place (btrfs, ZFS,
// network storage without reservations) a full disk can fail a write into a segment that was allocated: the journal
// stops for good then, and loses nothing that was durable.
//
// Checksums find damage by accident. They are no signatures: who can write the directory can write another journal.
package journal
