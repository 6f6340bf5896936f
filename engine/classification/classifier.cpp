// replaced by the facade
