// Whether this machine can start a Keycloak of its own, for the few tests that a running one does not serve.
import { distributionFolder, isThere } from '../../src/sandbox/distribution.ts'
import { chooseWay } from '../../src/sandbox/tools.ts'

export async function canStartKeycloak(): Promise<boolean> {
  return chooseWay(process.env, await isThere(distributionFolder(process.env))).then(
    () => true,
    () => false,
  )
}
