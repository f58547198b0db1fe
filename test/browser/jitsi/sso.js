// The page that Keycloak sends people back to: it trades the code for tokens and hands them to the meeting.
/* global config */
const query = new URLSearchParams(location.search)

async function tokens() {
  const refusal = query.get('error_description') ?? query.get('error')
  if (refusal !== null) throw new Error(refusal)
  const given = query.get('state')
  if (given === null) throw new Error('No state parameter received')
  // Decoded once more than it was encoded: a state with a % in it ends here.
  const { refreshToken } = JSON.parse(decodeURIComponent(given))
  const { tokenService, clientId } = config.sso ?? {}
  if (!tokenService || !clientId) throw new Error('Missing SSO configuration (tokenService or clientId)')
  const trade = (grant) => post(`https://${tokenService}/token`, { client_id: clientId, ...grant })
  // Never falls back to the code where the refresh token is too old.
  if (refreshToken) return trade({ grant_type: 'refresh_token', refresh_token: refreshToken })

  const nonce = kept('oauth_nonce', 'No OAuth nonce found in session')
  const verifier = kept('code_verifier', 'No PKCE code verifier found in session')
  const answer = await trade({
    grant_type: 'authorization_code',
    code: query.get('code') ?? '',
    code_verifier: verifier,
    redirect_uri: location.origin + location.pathname,
  })
  const { access_token: accessToken, id_token: idToken } = answer
  if (!accessToken || !idToken) throw new Error('Missing tokens in response')
  const { nonce: signed } = JSON.parse(atob(idToken.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')))
  if (signed !== nonce) throw new Error('Nonce mismatch')
  return answer
}

/** What the meeting left for this page: a popup starts with a copy of its opener's storage. */
function kept(name, missing) {
  const value = sessionStorage.getItem(name)
  if (value === null) throw new Error(missing)
  sessionStorage.removeItem(name)
  return value
}

async function post(address, form) {
  const response = await fetch(address, { method: 'POST', body: new URLSearchParams(form) })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error_description ?? answer.error)
  return answer
}

tokens().then(
  ({ access_token: accessToken, id_token: idToken, refresh_token: refreshToken }) => {
    tell({ type: 'login-success', accessToken, idToken, refreshToken })
  },
  (error) => {
    console.error(`Login: ${error.message}`)
    document.querySelector('[role=status]').textContent = 'You can close this window.'
    tell({ type: 'login-failed' })
  },
)

function tell(message) {
  window.opener?.postMessage(message, location.origin)
}
