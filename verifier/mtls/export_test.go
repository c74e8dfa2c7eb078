package mtls

// HashOfXFCC is hashOfXFCC.
func HashOfXFCC(value string) ([]byte, error) { return hashOfXFCC(value) }
