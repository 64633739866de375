// How the bytes of one transfer ended.

/**
 * `complete`: the sender ended it and proved so (close_notify on TLS). `truncated`: the server's side stopped without proof.
 * `clientGone`: the client program closed or reset its side early. `serverGone`: the server closed during an upload.
 */
export type DataOutcome =
  | { readonly kind: 'complete'; readonly bytes: number }
  | { readonly kind: 'truncated'; readonly bytes: number }
  | { readonly kind: 'clientGone'; readonly bytes: number }
  | { readonly kind: 'serverGone'; readonly bytes: number };
