// What Jitsi's web client does for a login and a logout. On a failure it says no more than "Login failed.".
/* global config */
const status = document.querySelector('[role=status]')
const person = document.querySelector('#person')

// What the meeting holds; a reload loses it, as Jitsi's does.
window.session = {}

function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}

/** The configured address with its placeholders filled in, the first of each. */
async function loginAddress() {
  const verifier = random()
  sessionStorage.setItem('code_verifier', verifier)
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  const room = decodeURIComponent(location.pathname.slice(1))
  // An old refresh token travels in the state, which is what use.refresh.tokens=false avoids.
  const state = { room, roomSafe: room.toLowerCase(), refreshToken: window.session.refreshToken }
  return config.tokenAuthUrl
    .replace('{state}', () => encodeURIComponent(JSON.stringify(state)))
    .replace('{room}', () => room)
    .replace('{code_challenge}', () => base64url(digest))
}

async function logIn() {
  status.textContent = ''
  const address = await loginAddress()
  if (config.tokenAuthInline !== true) {
    location.assign(address)
    return
  }
  const nonce = random()
  sessionStorage.setItem('oauth_nonce', nonce)
  const popup = window.open(`${address}&nonce=${nonce}`, 'login', 'width=500,height=700')
  if (popup === null) {
    status.textContent = 'Login popup was blocked by your browser.'
    return
  }
  const fail = () => {
    end()
    status.textContent = 'Login failed.'
  }
  const listen = ({ origin, source, data }) => {
    if (origin !== location.origin || source !== popup) return
    if (data.type !== 'login-success') return fail()
    end()
    // Closed from here, so that a closed popup without a message is one that somebody closed.
    popup.close()
    window.session = data
    person.textContent = nameIn(data.accessToken)
    status.textContent = 'Logged in.'
  }
  const watch = setInterval(() => popup.closed && fail(), 200)
  const end = () => {
    clearInterval(watch)
    removeEventListener('message', listen)
  }
  addEventListener('message', listen)
}

/** A token is read, and never checked: that is Prosody's work. */
function nameIn(token) {
  const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')
  const bytes = Uint8Array.from(atob(payload), (char) => char.charCodeAt(0))
  const { context, name, email } = JSON.parse(new TextDecoder().decode(bytes))
  const user = context === undefined && config.tokenGetUserInfoOutOfContext ? { name, email } : context?.user
  return user?.name ?? user?.email ?? 'somebody without a name'
}

function logOut() {
  status.textContent = 'Logging out …'
  const frame = document.createElement('iframe')
  frame.hidden = true
  frame.src = `${config.tokenLogoutUrl}&id_token_hint=${window.session.idToken}`
  addEventListener('message', ({ origin, source, data }) => {
    if (origin !== location.origin || source !== frame.contentWindow || data.type !== 'logout-success') return
    frame.remove()
    window.session = {}
    person.textContent = 'a guest'
    status.textContent = 'Logged out.'
  })
  document.body.append(frame)
}

document.querySelector('#log-in').addEventListener('click', logIn)
document.querySelector('#log-out').addEventListener('click', logOut)
