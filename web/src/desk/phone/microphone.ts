// The microphone and the loudspeaker of the telephone in the desk: which ones, what is wrong with them, how loud it is.
import { signal } from '@preact/signals'
import { cleanSound, microphone, speaker } from '../settings'

export type MicrophoneTrouble = '' | 'microphone_refused' | 'microphone_missing' | 'microphone_busy' | 'microphone_insecure'

export const microphoneTrouble = signal<MicrophoneTrouble>('')
/** What there is to choose from; names are known once the microphone is allowed. */
export const devices = signal<{ inputs: MediaDeviceInfo[]; outputs: MediaDeviceInfo[] }>({ inputs: [], outputs: [] })

const troubleOf = (error: unknown): MicrophoneTrouble => {
  const name = error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'microphone_refused'
  return name === 'NotFoundError' || name === 'OverconstrainedError' ? 'microphone_missing' : 'microphone_busy'
}

const wish = (device: string): MediaStreamConstraints => ({
  audio: {
    ...(device ? { deviceId: { exact: device } } : {}),
    echoCancellation: cleanSound.value, noiseSuppression: cleanSound.value, autoGainControl: cleanSound.value,
  },
})

/** Opens the chosen microphone, or the usual one when that is gone. Null when there is none to be had: see the trouble. */
export async function openMicrophone(): Promise<MediaStream | null> {
  if (!navigator.mediaDevices) {
    microphoneTrouble.value = 'microphone_insecure'
    return null
  }
  for (const device of microphone.value ? [microphone.value, ''] : ['']) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia(wish(device))
      microphoneTrouble.value = ''
      await look()
      return stream
    } catch (error) {
      microphoneTrouble.value = troubleOf(error)
      if (microphoneTrouble.value !== 'microphone_missing') break
    }
  }
  return null
}

export const closeMicrophone = (stream: MediaStream | null): void => stream?.getTracks().forEach((track) => track.stop())

export async function look(): Promise<void> {
  const all = await navigator.mediaDevices.enumerateDevices()
  const of = (kind: MediaDeviceKind): MediaDeviceInfo[] => all.filter((one) => one.kind === kind && one.deviceId)
  devices.value = { inputs: of('audioinput'), outputs: of('audiooutput') }
}

/** Notices a microphone that is unplugged, plugged in, refused or allowed while the page is open. Gives how to stop. */
export function watchMicrophone(): () => void {
  if (!navigator.mediaDevices) {
    microphoneTrouble.value = 'microphone_insecure'
    return () => undefined
  }
  let stopped = false
  let permission: PermissionStatus | undefined
  const judge = async (): Promise<void> => {
    const inputs = (await navigator.mediaDevices.enumerateDevices()).some((one) => one.kind === 'audioinput')
    if (stopped) return
    if (permission?.state === 'denied') microphoneTrouble.value = 'microphone_refused'
    else if (!inputs) microphoneTrouble.value = 'microphone_missing'
    else if (microphoneTrouble.value !== 'microphone_busy') microphoneTrouble.value = ''
  }
  const judged = (): void => void judge()
  navigator.mediaDevices.addEventListener('devicechange', judged)
  // Not every browser tells about this permission; what opening the microphone says is enough then.
  navigator.permissions?.query({ name: 'microphone' as PermissionName }).then(
    (found) => {
      permission = found
      permission.addEventListener('change', judged)
      judged()
    },
    judged,
  )
  return () => {
    stopped = true
    navigator.mediaDevices.removeEventListener('devicechange', judged)
    permission?.removeEventListener('change', judged)
  }
}

/** How loud the stream is, 0 to 1, ten times a second. Gives how to stop. */
export function measure(stream: MediaStream, tell: (level: number) => void): () => void {
  const context = new AudioContext()
  const analyser = context.createAnalyser()
  analyser.fftSize = 1024
  context.createMediaStreamSource(stream).connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    const loudness = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length)
    // Speech lies between -60 and 0 decibel.
    tell(Math.min(1, Math.max(0, 1 + Math.log10(loudness + 1e-6) / 3)))
  }, 100)
  return () => {
    clearInterval(timer)
    void context.close()
  }
}

type Sink = HTMLAudioElement & { setSinkId?: (device: string) => Promise<void> }

/** Sends sound to the chosen loudspeaker; to the usual one where that cannot be, or it is gone. */
export function toSpeaker(audio: HTMLAudioElement): void {
  void (audio as Sink).setSinkId?.(speaker.value).catch(() => undefined)
}
export const speakerCanBeChosen = 'setSinkId' in HTMLMediaElement.prototype
