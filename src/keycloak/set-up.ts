// From what is wanted to what was done, in one realm and in many.
import pLimit from 'p-limit'
import { KjitsiError } from '../errors.ts'
import type { Finding } from '../findings.ts'
import { applyPlan } from './apply.ts'
import { type Client, findClient, needManage, rolesOf } from './client.ts'
import type { RealmAdmin } from './connect.ts'
import type { Mapper } from './mappers.ts'
import {
  type Item,
  advisePlan,
  changesOf,
  hasConflict,
  keepRole,
  planMappers,
  planRemoval,
  planRole,
} from './plan.ts'

export interface MapperJob {
  readonly clientId: string
  readonly desired: readonly Mapper[]
  /** The client role that the desired mappers count on. */
  readonly role: string | undefined
  /** Take the desired mappers away instead. */
  readonly remove: boolean
  readonly dryRun: boolean
  /** Told what is about to be done, before the first write. */
  readonly onPlan: (realm: string, changes: readonly Item[]) => void
}

export interface MapperOutcome {
  readonly realm: string
  /** What was done, or with a dry run what would be. */
  readonly items: readonly Item[]
  readonly changed: boolean
  /** A person has to decide first, so nothing was done. */
  readonly conflict: boolean
  readonly findings: readonly Finding[]
}

/**
 * Plans and applies the mappers of one client. Where somebody else has just made what was to be made, it reads and plans
 * once more.
 */
export async function setUpMappers(realm: RealmAdmin, job: MapperJob): Promise<MapperOutcome> {
  const done: Item[] = []
  for (let tries = 1; ; tries++) {
    const client = await findClient(realm, job.clientId)
    const roles = job.role === undefined || job.remove ? [] : await rolesOf(realm, client)
    const planned = planFor(job, client, roles)
    const changes = changesOf(planned)
    if (changes.length > 0 && !job.dryRun) {
      needManage(realm, client)
      job.onPlan(realm.name, changes)
      try {
        await applyPlan(realm, client, planned, (item) => done.push(item))
      } catch (error) {
        if (error instanceof KjitsiError && error.code === 'conflict' && tries === 1) continue
        throw error
      }
    }
    const items =
      tries === 1 ? planned : [...done, ...planned.filter((item) => !done.some((one) => isSame(one, item)))]
    return {
      realm: realm.name,
      items,
      changed: changesOf(items).length > 0,
      conflict: hasConflict(items),
      findings: advisePlan(
        { realm: realm.name, client: job.clientId },
        planned,
        client.mappers,
        job.role,
        roles,
      ),
    }
  }
}

function planFor(
  { desired, role, remove }: MapperJob,
  client: Client,
  roles: readonly string[],
): readonly Item[] {
  const ofRole = role === undefined ? [] : [remove ? keepRole(role) : planRole(role, roles)]
  return [...ofRole, ...(remove ? planRemoval : planMappers)(desired, client.mappers)]
}

function isSame(one: Item, other: Item): boolean {
  return one.kind === other.kind && one.name === other.name
}

/** Realms that are worked on at a time: enough to hide the network, too few to trouble a server. */
const AT_A_TIME = 8

export type InRealm<T> =
  { readonly realm: string; readonly result: T } | { readonly realm: string; readonly error: KjitsiError }

/**
 * Runs `task` for each realm, several at a time; a failure stops no other.
 * @throws what is no KjitsiError, which is a bug, once all have ended
 */
export async function inEachRealm<T>(
  realms: readonly string[],
  task: (realm: string) => Promise<T>,
): Promise<readonly InRealm<T>[]> {
  const limit = pLimit(AT_A_TIME)
  const settled = await Promise.allSettled(realms.map((realm) => limit(() => task(realm))))
  return settled.map((one, i): InRealm<T> => {
    const realm = realms[i] ?? ''
    if (one.status === 'fulfilled') return { realm, result: one.value }
    if (one.reason instanceof KjitsiError) return { realm, error: one.reason }
    throw one.reason
  })
}
