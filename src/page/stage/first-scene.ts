/**
 * The scene that a request gives, before the world worker is awake: the stage shows it at once, so that the arm is there
 * within the first second while physics is still loading. The world builds its own from the same request, the same way.
 */
export { sceneFor } from '#core/scene/description.ts';
