// From what is wanted to what was done, in one realm and in many.
import pLimit from 'p-limit'
import { KjitsiError } from '../errors.ts'
import type { Finding } from '../finding.ts'
import { afterDone, applyPlan } from './apply.ts'
import { adviseClient, advisePlan } from './advice.ts'
import {
  type Client,
  findClient,
  lookForClient,
  needManage,
  needSight,
  rolesOf,
  sessionLimitsOf,
} from './client.ts'
import type { RealmAdmin } from './connect.ts'
import type { ClientWish } from './desired-client.ts'
import type { Mapper } from './mappers.ts'
import {
  keepRole,
  keepsFullScope,
  planClient,
  planClientRemoval,
  planRole,
  setsLifespan,
} from './plan-client.ts'
import { planMappers, planRemoval } from './plan-mappers.ts'
import { type Item, changesOf, hasConflict, mappersAfter } from './plan.ts'

/** Told what is about to be done, before the first write. */
export type Progress = (changes: readonly Item[]) => void

interface Job {
  readonly clientId: string
  /** The client role that the mappers count on. */
  readonly role: string | undefined
  /** Take away what would be made instead. */
  readonly remove: boolean
  readonly dryRun: boolean
  readonly onPlan: Progress
}

export interface MapperJob extends Job {
  readonly desired: readonly Mapper[]
}

export interface ClientJob extends Job {
  readonly wish: ClientWish
}

export interface Outcome {
  readonly realm: string
  /** What was done, or with a dry run what would be. */
  readonly items: readonly Item[]
  readonly changed: boolean
  /** A person has to decide first, so nothing was done. */
  readonly conflict: boolean
  readonly findings: readonly Finding[]
}

/** What a realm has, and what is to become of it. */
interface Look {
  readonly client: Client | undefined
  readonly planned: readonly Item[]
  readonly findings: readonly Finding[]
}

/** Plans and applies the mappers of one client that is there. */
export async function setUpMappers(realm: RealmAdmin, job: MapperJob): Promise<Outcome> {
  const { clientId, desired, role, remove } = job
  return carryOut(realm, job, async () => {
    const client = await findClient(realm, clientId)
    const roles = role === undefined || remove ? [] : await rolesOf(realm, client)
    const planned = [
      ...roleItems(job, roles),
      ...(remove ? planRemoval : planMappers)(desired, client.mappers),
    ]
    const where = { url: realm.url, realm: realm.name, client: clientId }
    return { client, planned, findings: advisePlan(where, planned, client.mappers, role, roles) }
  })
}

/** Plans and applies one client with its role and mappers, whether it is there or not. */
export async function setUpClient(realm: RealmAdmin, job: ClientJob): Promise<Outcome> {
  const { clientId, wish, role, remove } = job
  return carryOut(realm, job, async () => {
    const client = await lookForClient(realm, clientId)
    const needRoles = client !== undefined && (role !== undefined || remove)
    const roles = needRoles ? await rolesOf(realm, client) : []
    if (remove) {
      if (client === undefined) await needSight(realm, clientId)
      return { client, planned: [planClientRemoval(wish, client, roles)], findings: [] }
    }
    const ofClient = planClient(realm.name, wish, client)
    const existing = client?.mappers ?? []
    const planned = [ofClient, ...roleItems(job, roles), ...planMappers(mappersFor(wish, client), existing)]
    const limits = setsLifespan(ofClient) ? await sessionLimitsOf(realm) : undefined
    const where = { url: realm.url, realm: realm.name, client: clientId }
    const findings = [
      ...adviseClient(where, wish, client, mappersAfter(existing, planned), limits),
      ...advisePlan(where, planned, existing, role, roles),
    ]
    return { client, planned, findings }
  })
}

/** With full scope on, one more audience would make `aud` a list for everybody: then there is none. */
function mappersFor(wish: ClientWish, client: Client | undefined): readonly Mapper[] {
  return [
    ...(keepsFullScope(wish, client) ? [] : [wish.audienceMapper]),
    ...wish.moderatorMappers,
    ...(client === undefined ? wish.firstMappers : []),
  ]
}

function roleItems({ role, remove }: Job, roles: readonly string[]): readonly Item[] {
  return role === undefined ? [] : [remove ? keepRole(role) : planRole(role, roles)]
}

/** The client, its role and its mappers can each be made by somebody else first. */
const TRIES = 3

/**
 * Applies what `look` plans. Where somebody else has just made what was to be made, it looks and plans anew. After
 * mappers were created, what two runs at once have created twice is made single again.
 */
async function carryOut(realm: RealmAdmin, job: Job, look: () => Promise<Look>): Promise<Outcome> {
  const done: Item[] = []
  for (let tries = 1; ; tries++) {
    const before = [...done]
    const { client, planned, findings } = await look().catch((error: unknown) => {
      throw error instanceof KjitsiError && done.length > 0 ? afterDone(error, done) : error
    })
    const changes = changesOf(planned)
    if (before.length > 0 && hasConflict(planned)) throw afterDone(changedMeanwhile(realm, job), done)
    if (changes.length > 0 && !job.dryRun) {
      if (client !== undefined) needManage(realm, client)
      job.onPlan(changes)
      try {
        await applyPlan(realm, client, planned, done)
      } catch (error) {
        if (error instanceof KjitsiError && error.code === 'conflict' && tries < TRIES) continue
        throw error
      }
      const created = changes.flatMap((item) =>
        item.kind === 'mapper' && item.action === 'create' ? [item.mapper] : [],
      )
      // A new client comes with its mappers, and there is one client of an id.
      if (client !== undefined && created.length > 0) await removeDuplicates(realm, job, created, done)
    }
    const items =
      tries === 1
        ? [...planned, ...done.filter((item) => !planned.includes(item))]
        : [
            ...done,
            ...planned.filter(
              (item) => !done.some((one) => one === item || (item.action === 'keep' && isSame(one, item))),
            ),
          ]
    return {
      realm: realm.name,
      items,
      changed: changesOf(items).length > 0,
      conflict: hasConflict(items),
      findings,
    }
  }
}

/** How often two runs that remove the same duplicates may meet: Keycloak answers the later of two removals with 500. */
const MEETINGS = 10

/** Reads what is there now, and removes what is there twice. */
async function removeDuplicates(
  realm: RealmAdmin,
  job: Job,
  created: readonly Mapper[],
  done: Item[],
): Promise<void> {
  for (let reads = 1; ; reads++) {
    const client = await findClient(realm, job.clientId).catch((error: unknown) => {
      throw error instanceof KjitsiError ? afterDone(error, done) : error
    })
    const duplicates = planMappers(created, client.mappers).filter(
      ({ action }) => action === 'remove' || action === 'conflict',
    )
    if (duplicates.length === 0) return
    if (hasConflict(duplicates)) throw afterDone(changedMeanwhile(realm, job), done)
    if (reads === 1) job.onPlan(duplicates)
    try {
      await applyPlan(realm, client, duplicates, done)
      return
    } catch (error) {
      if (!(error instanceof KjitsiError && error.code === 'unreachable') || reads === MEETINGS) throw error
    }
  }
}

function changedMeanwhile(realm: RealmAdmin, { clientId }: Job): KjitsiError {
  return new KjitsiError(
    'conflict',
    `realm ${realm.name}, client ${clientId}: somebody else changed its mappers at the same time, and not to the same end`,
    { hint: 'run again: it says which mappers are in the way' },
  )
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
