package engine_test

import (
	"context"
	"fmt"
	"log"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
	"github.com/encseal/encseal/engine/sink"
)

func Example() {
	signer, err := sign.GenerateSigner() // or sign.ReadKeyFile("notary.pem")
	if err != nil {
		log.Fatal(err)
	}
	blocks := make(chan *logblock.LogBlock, 1)
	notary, err := engine.New(engine.Config{App: "my-app", Signer: signer, Sink: sink.Channel(blocks)})
	if err != nil {
		log.Fatal(err)
	}

	step := receipt.Receipt{
		App: "my-app", Container: "job-9812", Op: "exec.start", TS: "2026-01-15T10:00:00Z",
		Resource: receipt.Resource{CPUms: 412, MemoryMBs: 265, StorageGBDay: 0.1, EgressMB: 1.2},
		PrevHash: receipt.Genesis(),
		Hash:     receipt.Digest([32]byte{1}), // a producer calls step.Sign(key) instead
		Sig:      receipt.Signature([64]byte{1}),
	}
	if _, err := notary.Append(context.Background(), &step); err != nil {
		log.Fatal(err)
	}
	if err := notary.Close(context.Background()); err != nil { // seals what is pending
		log.Fatal(err)
	}
	block := <-blocks
	fmt.Println(block.App, block.Height, block.Count, block.Usage.CPUms)
	// Output: my-app 1 1 412
}
