package journal

import "context"

// Flush returns when all that was appended before is durable. It returns the journal's failure, or ctx's error where that
// comes first.
func (j *Journal) Flush(ctx context.Context) error {
	j.mu.Lock()
	if j.open.frames == 0 { // what there is, is being written
		defer j.mu.Unlock()
		for j.writing && j.failure == nil {
			j.settled.Wait()
		}
		return j.failure
	}
	end := j.offset(j.open.seg, j.open.base+int64(j.open.n))
	j.mu.Unlock()
	return j.Wait(ctx, end)
}
