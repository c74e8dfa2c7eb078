package jwkscache

// maxDocument is the length of the longest document, in bytes: metadata and key set
// of maxBody each, and their addresses, header fields and times.
const maxDocument = 2*maxBody + 64<<10
