package sink_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
	"github.com/encseal/encseal/engine/sink"
)

// A notary that posts its blocks, and stops where the receiver refuses one for good.
func ExampleHTTP() {
	attempts := 0
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if attempts++; attempts == 1 || err != nil {
			w.WriteHeader(http.StatusServiceUnavailable) // the notary offers the block again
			return
		}
		b, err := logblock.Parse(body, logblock.EncSeal1)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Println("attempt", attempts, "took height", b.Height, "of", b.App)
	}))
	defer receiver.Close()

	posts, err := sink.NewHTTP(sink.HTTPConfig{URL: receiver.URL})
	if err != nil {
		log.Fatal(err)
	}
	defer posts.Close()
	deliver := func(ctx context.Context, b *logblock.LogBlock) error {
		err := posts.Deliver(ctx, b)
		if status, ok := errors.AsType[*sink.StatusError](err); ok && status.Permanent() {
			return fmt.Errorf("%w: %w", engine.ErrPermanent, err)
		}
		return err
	}

	signer, err := sign.GenerateSigner()
	if err != nil {
		log.Fatal(err)
	}
	notary, err := engine.New(engine.Config{App: "my-app", Signer: signer, Sink: sink.Func(deliver)})
	if err != nil {
		log.Fatal(err)
	}
	step := receipt.Receipt{
		App: "my-app", Container: "job-9812", Op: "exec.start", TS: "2026-01-15T10:00:00Z",
		PrevHash: receipt.Genesis(), Hash: receipt.Digest([32]byte{1}), Sig: receipt.Signature([64]byte{1}),
	}
	if _, err := notary.Append(context.Background(), &step); err != nil {
		log.Fatal(err)
	}
	if err := notary.Close(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output: attempt 2 took height 1 of my-app
}
