# What operator-management may do: keep the credentials of operators below ops/operators of the KV version 2 engine at
# secret/. Nothing else in that engine can be read or named with it.

# Put and get values.
path "secret/data/ops/operators/*" {
  capabilities = ["create", "update", "read"]
}

# List paths and versions, set the number of versions kept, remove a path with all its versions.
path "secret/metadata/ops/operators/*" {
  capabilities = ["create", "update", "read", "list", "delete"]
}

# Destroy single versions, for good.
path "secret/destroy/ops/operators/*" {
  capabilities = ["update"]
}

# Watch over and renew the own token. Vault's policy "default" allows it too, but a role may leave that one out.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}
