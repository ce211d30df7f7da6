//go:build !race

package sign

const raceDetector = false
