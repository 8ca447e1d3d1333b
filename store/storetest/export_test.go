package storetest

// BigWith is Big with a long run of so many events: 50,000 take too long under
// the race detector.
var BigWith = big
