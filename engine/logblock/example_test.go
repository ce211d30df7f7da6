package logblock_test

import (
	"fmt"
	"os"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

// An auditor checks a log against the one key that it trusts, and keeps the head for next time.
func ExampleVerify() {
	key, err := sign.ParsePublicKey("ed25519:6b0092f35ee18e4c81f8afa3b776f43b549b936ba76c79983c36c40c68f366fb")
	if err != nil {
		fmt.Println(err)
		return
	}
	blocks, err := os.Open("../../testdata/my-app.blocks.ndjson")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer blocks.Close()
	receipts, err := os.Open("../../testdata/my-app.receipts.ndjson")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer receipts.Close()

	result, err := logblock.Verify(logblock.CheckerConfig{Key: key, App: "my-app"}, blocks, receipts)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Blocks, "blocks,", result.Receipts, "receipts, head at height", result.Head.Height)
	// Output: 3 blocks, 300 receipts, head at height 3
}
