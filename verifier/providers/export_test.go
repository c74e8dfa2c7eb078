package providers

// InClusterAt is [InCluster] with another address and other files.
var InClusterAt = inCluster
